// How the server starts and shuts down: an address in use is rejected, requests in flight are answered, and no
// connection delays it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as send } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { connect } from 'node:tls';
import { WebhookServer } from '@countersign/webhook/serving/server.ts';
import { review } from '../../support/admission-reviews.ts';
import { until } from '../../support/until.ts';
import { GRANTED } from './admission-cluster.ts';
import { KEY_PAIR, WebhookFixture } from './webhook-fixture.ts';

let webhook: WebhookFixture;
beforeEach(async () => {
  webhook = await new WebhookFixture().start();
  webhook.reset(GRANTED);
});
afterEach(() => webhook.stop());

test('a server rejects an address in use and names the flag that sets it', async () => {
  const { handle, log, metrics, port } = webhook;
  const second = new WebhookServer({ handle, log, metrics });
  second.useKeyPair(KEY_PAIR);
  const message = `--address: 127.0.0.1:${port} is already in use`;
  await assert.rejects(second.listen({ host: '127.0.0.1', port }), { name: 'ConfigurationError', message });
});

test('a draining server answers as before, and closes each connection after its answer', async () => {
  const agent = new Agent({ keepAlive: true, ca: KEY_PAIR.cert });
  const ask = async () => {
    const headers = { 'content-type': 'application/json' };
    const call = send({ host: '127.0.0.1', port: webhook.port, path: '/validate', method: 'POST', agent, headers });
    call.end(JSON.stringify(review()));
    const [response] = await once(call, 'response');
    await once(response.resume(), 'end');
    return [response.statusCode, response.headers.connection];
  };
  assert.deepEqual(await ask(), [200, 'keep-alive']);
  webhook.server.drain();
  assert.deepEqual(await ask(), [200, 'close']);
  agent.destroy();
});

test('a closing server answers requests in flight, closes idle connections, and accepts no new ones', async () => {
  const gate = Promise.withResolvers<void>();
  webhook.reset({
    answer: ({ body }) => gate.promise.then(() => ({ ...(body as object), status: { allowed: true } })),
  });
  const inFlight = webhook.post(review());
  while (webhook.client.calls.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
  const closing = webhook.server.close();
  assert.deepEqual(webhook.server.problems, ['HTTPS server: not listening']);
  setTimeout(gate.resolve, 20);
  const { status, body } = await inFlight;
  await closing;
  assert.equal(status, 200);
  assert.equal(body.response.allowed, true);
  await assert.rejects(webhook.post(review()));
});

test('a closing server answers a request that has arrived on an idle connection but was not read yet', async () => {
  const socket = connect({ host: '127.0.0.1', port: webhook.port, ca: KEY_PAIR.cert });
  const body = JSON.stringify(review());
  const head = `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  let received = '';
  socket.on('data', chunk => (received += chunk));
  socket.write(head + body);
  await until(() => received.includes('"allowed"'));
  received = '';
  socket.write(head + body);
  webhook.server.drain();
  const ended = once(socket, 'close');
  await webhook.server.close();
  await ended;
  assert.match(received, /^HTTP\/1\.1 200 [^]*connection: close[^]*"allowed"/);
});

test('a closing server does not wait forever for a connection without a handshake', async () => {
  const socket = connectTcp(webhook.port, '127.0.0.1').resume();
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  const started = performance.now();
  await webhook.server.close();
  await ended;
  assert.ok(performance.now() - started < 5_000);
});

test('a closing server does not wait forever for a connection without a request', async () => {
  const socket = connect({ host: '127.0.0.1', port: webhook.port, ca: KEY_PAIR.cert });
  await once(socket, 'secureConnect');
  const ended = once(socket, 'close');
  await webhook.server.close();
  await ended;
});
