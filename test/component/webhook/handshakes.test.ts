// Failed handshakes on a real port: how each kind is counted, and how rarely it is logged.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { HandshakeFailures } from '@countersign/webhook/serving/handshake-failures.ts';
import { WebhookServer } from '@countersign/webhook/serving/server.ts';
import { until } from '../../support/until.ts';
import { KEY_PAIR, makeKeyPair, WebhookFixture } from './webhook-fixture.ts';

let webhook: WebhookFixture;
let server: WebhookServer;
let port: number;
beforeEach(async () => {
  webhook = new WebhookFixture();
  // Long, so that a busy machine causes no timeouts in other tests.
  await listen(20_000);
});
afterEach(() => server.close());

async function listen(transferTimeoutMs: number, ca?: string): Promise<void> {
  const { handle, log, metrics } = webhook;
  const needsClientCertificate = ca !== undefined;
  server = new WebhookServer({ handle, log, metrics, transferTimeoutMs, graceMs: 200, needsClientCertificate });
  server.useKeyPair({ ...KEY_PAIR, ...(ca !== undefined && { ca }) });
  port = await server.listen({ host: '127.0.0.1', port: 0 });
}

/** The failures counted by cause, without zeros. */
async function counted(): Promise<Record<string, number>> {
  const lines = (await webhook.registry.metrics()).matchAll(/handshake_failures_total\{cause="(\w+)"\} (\d+)/g);
  return Object.fromEntries([...lines].map(([, cause, count]) => [cause, Number(count)]).filter(([, count]) => count));
}

async function isCounted(expected: Record<string, number>): Promise<void> {
  await until(async () => Object.keys(await counted()).length > 0);
  assert.deepEqual(await counted(), expected);
}

async function tcp(): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

describe('counting failed handshakes', () => {
  test('a caller that does not know the CA is counted as distrusted', async () => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error', '-no-CAfile', '-no-CApath'];
    const caller = spawn('openssl', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    caller.stdin.end();
    await once(caller, 'close');
    await isCounted({ distrusted: 1 });
  });

  test('a caller that closes the connection is counted as closed', async () => {
    (await tcp()).destroy();
    await isCounted({ closed: 1 });
  });

  test('a caller that sends nothing is counted as timeout', async () => {
    await server.close();
    await listen(300);
    await once((await tcp()).resume(), 'close');
    await isCounted({ timeout: 1 });
  });

  test('a caller that does not speak TLS is counted as other', async () => {
    (await tcp()).end('GET / HTTP/1.1\r\n\r\n');
    await isCounted({ other: 1 });
  });

  test('a successful handshake is not counted, and every cause is exported from the start', async () => {
    const socket = connect({ host: '127.0.0.1', port, ca: KEY_PAIR.cert });
    await once(socket, 'secureConnect');
    socket.destroy();
    const text = await webhook.registry.metrics();
    for (const cause of ['distrusted', 'uncertified', 'closed', 'timeout', 'other']) {
      assert.match(text, new RegExp(`tls_handshake_failures_total\\{cause="${cause}"\\} 0`));
    }
  });
});

describe('client certificates', () => {
  const CALLER = makeKeyPair('caller');
  const OTHER = makeKeyPair('other');

  /** The start of the answer; empty if the connection closes without one. */
  function get(options: { readonly cert?: string; readonly key?: string }): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({ host: '127.0.0.1', port, ca: KEY_PAIR.cert, ...options });
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    socket.on('data', data => {
      resolve(String(data).slice(0, 12));
      socket.destroy();
    });
    socket.on('error', () => resolve('')).on('close', () => resolve(''));
    return promise;
  }

  beforeEach(async () => {
    await server.close();
    await listen(20_000, CALLER.cert);
  });

  test('a caller with a certificate from the client CA is served', async () => {
    assert.equal(await get(CALLER), 'HTTP/1.1 404');
    assert.deepEqual(await counted(), {});
  });

  for (const [name, pair] of [
    ['a caller without a certificate is rejected and counted', {}],
    ['a caller with a certificate from another CA is rejected and counted', OTHER],
  ] as const) {
    test(name, async () => {
      assert.equal(await get(pair), '');
      await isCounted({ uncertified: 1 });
    });
  }

  test('a new client CA applies to the next connection', async () => {
    server.useKeyPair({ ...KEY_PAIR, ca: OTHER.cert });
    assert.equal(await get(OTHER), 'HTTP/1.1 404');
    assert.equal(await get(CALLER), '');
  });
});

test('renegotiation is refused, since it would bypass the handshake queue at the same cost', async () => {
  const options = { host: '127.0.0.1', port, ca: KEY_PAIR.cert, maxVersion: 'TLSv1.2' } as const;
  const socket = connect(options).on('error', () => undefined);
  await once(socket, 'secureConnect');
  const outcome = Promise.withResolvers<unknown>();
  socket.on('close', () => outcome.resolve('closed'));
  socket.renegotiate({}, error => outcome.resolve(error));
  assert.notEqual(await outcome.promise, null);
  socket.destroy();
});

// OpenSSL's texts for alerts changed between versions; Node derives its codes from them.
for (const code of [
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
]) {
  test(`${code} is counted as distrusted`, async () => {
    new HandshakeFailures(webhook).note(Object.assign(new Error('alert'), { code }));
    assert.deepEqual(await counted(), { distrusted: 1 });
  });
}

test('failed handshakes are logged at most every ten seconds per cause, with their number', () => {
  let now = 0;
  const failures = new HandshakeFailures({ log: webhook.log, metrics: webhook.metrics, clock: () => now });
  const distrusted = Object.assign(new Error('x'), { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' });
  const closed = Object.assign(new Error('x'), { code: 'ECONNRESET' });
  for (; now < 25_000; now += 100) {
    failures.note(closed);
    if (now === 12_000) failures.note(distrusted);
  }
  const lines = webhook.logs.map(({ level, msg, cause, count }) => ({ level, msg, cause, count }));
  const line = { level: 'warn', msg: 'TLS handshake failed' };
  assert.deepEqual(lines, [
    { ...line, cause: 'closed', count: 1 },
    { ...line, cause: 'closed', count: 100 },
    { ...line, cause: 'distrusted', count: 1 },
    { ...line, cause: 'closed', count: 100 },
  ]);
});
