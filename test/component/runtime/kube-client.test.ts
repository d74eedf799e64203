// The kube client against real sockets: what it sends, and how it classifies every kind of failure. Faults come from a
// fake server, because the real one cannot be made to produce them.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { RequestObservation } from '@countersign/common/runtime/kube/kube-connection.ts';
import {
  disposable,
  type FakeApiServer,
  failureOf,
  sendJson,
  sendStatus,
  startFakeApiServer,
} from './fake-api-server.ts';

let server: FakeApiServer;
let client: KubeClient;
const observations: RequestObservation[] = [];

before(async () => {
  server = await startFakeApiServer();
  client = server.client(10_000, observation => void observations.push(observation));
});
after(async () => {
  await client.close();
  await server.close();
});

describe('what is sent', () => {
  const calls = [
    { name: 'get', run: () => client.get('/a?x=1'), line: 'GET /a?x=1', type: undefined, body: '' },
    {
      name: 'create',
      run: () => client.create('/a', { b: 1 }),
      line: 'POST /a',
      type: 'application/json',
      body: '{"b":1}',
    },
    {
      name: 'update',
      run: () => client.update('/a', { b: 1 }),
      line: 'PUT /a',
      type: 'application/json',
      body: '{"b":1}',
    },
    {
      name: 'mergePatch',
      run: () => client.mergePatch('/a/status', { b: null }),
      line: 'PATCH /a/status',
      type: 'application/merge-patch+json',
      body: '{"b":null}',
    },
    {
      name: 'remove',
      run: () => client.remove('/a/b', { uid: 'u', resourceVersion: '7' }),
      line: 'DELETE /a/b',
      type: 'application/json',
      body: '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u","resourceVersion":"7"}}',
    },
  ];
  for (const { name, run, line, type, body } of calls) {
    test(`${name} sends ${line} with the token and returns the response`, async () => {
      let seen: unknown;
      server.handle((request, response, text) => {
        seen = { line: `${request.method} ${request.url}`, type: request.headers['content-type'], body: text };
        assert.equal(request.headers.authorization, 'Bearer secret-token');
        sendJson(response, 200, { answer: 42 });
      });
      const answer = await run();
      assert.deepEqual(seen, { line, type, body });
      assert.deepEqual(answer, name === 'remove' ? undefined : { answer: 42 });
    });
  }
});

/** The start of an unfinished response. */
function partial(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' }).write('{"a":');
}

describe('a failing server', () => {
  const faults = [
    { name: 'no response', act: () => undefined, code: 'timeout' },
    { name: 'a body that never ends', act: partial, code: 'timeout' },
    {
      name: 'a reset before the response',
      act: (response: ServerResponse) => void response.socket?.resetAndDestroy(),
      code: 'network',
    },
    {
      name: 'a reset in the middle of the body',
      act: (response: ServerResponse) => {
        partial(response);
        setTimeout(() => response.socket?.resetAndDestroy(), 5);
      },
      code: 'network',
    },
    {
      name: 'a response that is not JSON',
      act: (response: ServerResponse) => void response.end('<html>'),
      code: 'server',
    },
    { name: 'an empty response', act: (response: ServerResponse) => void response.end(), code: 'server' },
  ];
  for (const { name, act, code } of faults) {
    test(`${name} is a retryable ${code}, and the next request works`, async () => {
      server.handle((_, response) => act(response));
      await using impatient = disposable(server.client(150));
      const error = await failureOf((code === 'timeout' ? impatient : client).get('/apis/x'));
      assert.ok(error instanceof RetryableError, error.message);
      assert.equal(error.code, code);
      assert.match(error.message, /^GET \/apis\/x: /);
      server.handle((_, response) => sendJson(response, 200, { ok: true }));
      assert.deepEqual(await client.get('/apis/x'), { ok: true });
    });
  }

  test('an unreachable server is a retryable network failure with advice', async () => {
    const gone = await startFakeApiServer();
    const other = gone.client(10_000);
    await gone.close();
    const error = await failureOf(other.get('/x'));
    assert.equal(error.code, 'network');
    assert.match(error.message, /ECONNREFUSED.*check the server address/);
  });

  test('a read is cancelled at once when its signal is aborted', async () => {
    const patient = server.client(5000);
    server.handle(() => undefined);
    const controller = new AbortController();
    const started = performance.now();
    setTimeout(() => controller.abort(), 10);
    await failureOf(patient.get('/x', controller.signal));
    assert.ok(performance.now() - started < 2500);
    await patient.close();
  });

  test('every request is observed with its code', async () => {
    observations.length = 0;
    server.handle((_, response) => {
      response.setHeader('date', 'Thu, 26 Nov 2026 12:00:00 GMT');
      sendStatus(response, 404, 'NotFound');
    });
    await client.get('/x');
    server.handle((_, response) => void response.socket?.destroy());
    await failureOf(client.get('/x'));
    assert.deepEqual(
      observations.map(({ method, code, serverTime }) => [method, code, serverTime]),
      [
        ['GET', '404', Date.parse('2026-11-26T12:00:00Z')],
        ['GET', '<error>', undefined],
      ],
    );
    assert.ok(observations.every(({ host, seconds }) => server.url.endsWith(host) && seconds >= 0));
  });
});
