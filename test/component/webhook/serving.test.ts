// The serving certificate: its sources, its replacement while connections are open, and when the old one stays in use.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as send } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import {
  type KeyPair,
  type OfferedKeyPair,
  readFromFiles,
  readFromSecret,
  ServingCertificate,
  withClientCa,
} from '@countersign/webhook/serving/serving-certificate.ts';
import { review } from '../../support/admission-reviews.ts';
import { GRANTED } from './admission-cluster.ts';
import { makeExpiredKeyPair, makeKeyPair, WebhookFixture } from './webhook-fixture.ts';

const FIRST = makeKeyPair('first');
const SECOND = makeKeyPair('second');

let webhook: WebhookFixture;
beforeEach(async () => {
  webhook = await new WebhookFixture().start();
  webhook.reset(GRANTED);
});
afterEach(() => webhook.stop());

/** A certificate whose source the test can replace. */
function certificateOf(first: OfferedKeyPair | Error): {
  certificate: ServingCertificate;
  put: (pair: OfferedKeyPair | Error) => void;
  clock: { now: () => Date };
} {
  let current = first;
  const clock = { now: () => new Date() };
  const source = async () => {
    if (current instanceof Error) throw current;
    return current;
  };
  const { log, metrics } = webhook;
  const certificate = new ServingCertificate({ source, log, metrics, intervalMs: 10, now: () => clock.now() });
  return { certificate, put: pair => (current = pair), clock };
}

async function reloads(result: string): Promise<number> {
  const text = await webhook.registry.metrics();
  const line = new RegExp(`serving_certificate_reloads_total\\{result="${result}"\\} (\\d+)`).exec(text);
  return Number(line?.[1] ?? 0);
}

describe('a serving certificate', () => {
  test('a serving certificate is returned once, and again when its content changes', async () => {
    const { certificate, put } = certificateOf(FIRST);
    assert.deepEqual(certificate.problems(new Date()), ['serving certificate: not loaded yet']);
    assert.deepEqual(await certificate.check(), FIRST);
    assert.equal(await certificate.check(), undefined);
    put(SECOND);
    assert.deepEqual(await certificate.check(), SECOND);
    assert.deepEqual(certificate.problems(new Date()), []);
    assert.equal(await reloads('loaded'), 2);
  });

  test('a serving certificate is returned again when the client CA changes', async () => {
    const { certificate, put } = certificateOf({ ...FIRST, ca: FIRST.cert });
    await certificate.check();
    assert.equal(await certificate.check(), undefined);
    put({ ...FIRST, ca: SECOND.cert });
    assert.equal((await certificate.check())?.ca, SECOND.cert);
  });

  test('a serving certificate includes the client CA from its file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'webhook-'));
    const file = join(dir, 'ca.crt');
    const source = withClientCa(async () => FIRST, file);
    await assert.rejects(source(), { message: /^--client-ca-file: .* does not exist$/ });
    await writeFile(file, SECOND.cert);
    assert.deepEqual(await source(), { ...FIRST, ca: SECOND.cert, names: { ca: file } });
    await rm(dir, { recursive: true });
  });

  const BAD: readonly (readonly [string, KeyPair])[] = [
    ['has a client CA that is not PEM', { ...FIRST, ca: 'x' }],
    ['has a damaged client CA', { ...FIRST, ca: SECOND.cert.replaceAll('M', 'N') }],
    ['is not PEM', { cert: 'x', key: FIRST.key }],
    ['has a key that is not PEM', { cert: FIRST.cert, key: 'x' }],
    ['has the key of another certificate', { cert: SECOND.cert, key: FIRST.key }],
    ['is empty', { cert: '', key: '' }],
    ['has expired', makeExpiredKeyPair()],
  ];
  for (const [name, pair] of BAD) {
    test(`a serving certificate that ${name} does not replace a usable one, is logged once and counted`, async () => {
      const { certificate, put } = certificateOf(FIRST);
      await certificate.check();
      put(pair);
      assert.equal(await certificate.check(), undefined);
      assert.equal(await certificate.check(), undefined);
      assert.deepEqual(certificate.problems(new Date()), []);
      assert.equal(await reloads('invalid'), 2);
      const errors = webhook.logs.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1);
      assert.doesNotMatch(JSON.stringify(errors), /PRIVATE KEY|"stack"/);
      put(SECOND);
      assert.deepEqual(await certificate.check(), SECOND);
    });
  }

  for (const [name, days] of [
    ['is not valid yet', -1],
    ['has expired', 40],
  ] as const) {
    test(`a serving certificate that ${name} because the clock is wrong is used once the clock is right`, async () => {
      const { certificate, put, clock } = certificateOf(FIRST);
      await certificate.check();
      put(SECOND);
      clock.now = () => new Date(Date.now() + days * 24 * 3_600_000);
      assert.equal(await certificate.check(), undefined);
      assert.equal(await certificate.check(), undefined);
      assert.equal(await reloads('invalid'), 2);
      clock.now = () => new Date();
      assert.deepEqual(await certificate.check(), SECOND);
    });
  }

  for (const [what, milliseconds, first] of [
    ['if there is no other', 400 * 24 * 3_600_000, SECOND],
    ['if it becomes valid within minutes, since clocks differ', 60_000, FIRST],
  ] as const) {
    test(`a serving certificate that is not valid yet is used ${what}`, async () => {
      const { certificate, put, clock } = certificateOf(first);
      if (first === FIRST) await certificate.check();
      put(SECOND);
      clock.now = () => new Date(new X509Certificate(SECOND.cert).validFromDate.getTime() - milliseconds);
      assert.deepEqual(await certificate.check(), SECOND);
    });
  }

  test('a serving certificate that returns unchanged after an unusable or unreadable one is not reloaded', async () => {
    const { certificate, put } = certificateOf(FIRST);
    await certificate.check();
    for (const trouble of [{ cert: 'x', key: 'x' }, new Error('forbidden')]) {
      put(trouble);
      await certificate.check();
      put(FIRST);
      assert.equal(await certificate.check(), undefined);
    }
    assert.equal(await reloads('loaded'), 1);
  });

  test('a serving certificate that cannot be read does not replace a usable one', async () => {
    const { certificate, put } = certificateOf(FIRST);
    await certificate.check();
    put(new Error('forbidden'));
    assert.equal(await certificate.check(), undefined);
    assert.equal(await certificate.check(), undefined);
    assert.equal(await reloads('unreadable'), 2);
    assert.deepEqual(certificate.problems(new Date()), []);
  });

  test('a serving certificate that does not exist yet is awaited', async () => {
    const { certificate, put } = certificateOf(new Error('Secret a/b does not exist'));
    const first = certificate.waitForFirst(AbortSignal.timeout(5_000));
    setTimeout(put, 30, FIRST);
    assert.deepEqual(await first, FIRST);
  });

  test('a serving certificate that never appears is awaited until the signal is aborted', async () => {
    const { certificate } = certificateOf(new Error('gone'));
    assert.equal(await certificate.waitForFirst(AbortSignal.timeout(30)), undefined);
  });

  test('a serving certificate that expires while in use makes the webhook not ready', async () => {
    const { certificate } = certificateOf(FIRST);
    await certificate.check();
    const later = new Date(Date.now() + 40 * 24 * 3_600_000);
    assert.match(certificate.problems(later)[0] ?? '', /^serving certificate: expired at /);
  });
});

test('a certificate with a problem at its source is served; the problem is counted, logged once, and again when it returns', async () => {
  const { certificate, put } = certificateOf(new Error('not yet'));
  const problem = new Error('Secret a/b does not exist');
  put({ ...FIRST, problem });
  assert.deepEqual(await certificate.check(), FIRST);
  assert.equal(await certificate.check(), undefined);
  assert.deepEqual([await reloads('loaded'), await reloads('unreadable')], [1, 2]);
  put(FIRST);
  assert.equal(await certificate.check(), undefined);
  put({ ...FIRST, problem });
  await certificate.check();
  const logged = webhook.logs.filter(({ level }) => level === 'error').map(({ msg }) => msg);
  assert.deepEqual(logged, Array(2).fill('serving with a CA that is not stored in its Secret'));
});

describe('sources of the serving certificate', () => {
  test('a serving certificate is read from two files', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'webhook-'));
    const [cert, key] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
    await writeFile(cert, FIRST.cert);
    await writeFile(key, FIRST.key);
    assert.deepEqual(await readFromFiles(cert, key)(), { ...FIRST, names: { cert, key } });
    await rm(dir, { recursive: true });
    await assert.rejects(readFromFiles(cert, key)());
  });

  test('a serving certificate is read from a Secret by name', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const data = { 'tls.crt': base64(FIRST.cert), 'tls.key': base64(FIRST.key) };
    webhook.reset({ answer: () => ({ data }) });
    const nameOf = (field: string) => `${field} in Secret countersign/webhook-tls`;
    const names = { cert: nameOf('tls.crt'), key: nameOf('tls.key') };
    assert.deepEqual(await readFromSecret(webhook.client, 'countersign', 'webhook-tls')(), { ...FIRST, names });
    const path = '/api/v1/namespaces/countersign/secrets/webhook-tls';
    assert.deepEqual(webhook.client.calls, [{ verb: 'get', path }]);
  });

  test('a Secret that does not exist is reported as missing', async () => {
    webhook.reset({});
    await assert.rejects(readFromSecret(webhook.client, 'a', 'b')(), /Secret a\/b does not exist/);
  });
});

describe('a new certificate', () => {
  function ask(agent: Agent): Promise<{ name: string | undefined; socket: TLSSocket; status: number }> {
    const headers = { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const call = send({ host: '127.0.0.1', port: webhook.port, path: '/validate', method: 'POST', agent, headers });
      call.on('error', reject);
      call.on('response', response => {
        const socket = response.socket as TLSSocket;
        const subject = socket.getPeerCertificate().subject.CN;
        response.resume();
        response.on('end', () => resolve({ name: String(subject), socket, status: response.statusCode ?? 0 }));
      });
      call.end(JSON.stringify(review()));
    });
  }
  // Trusts both certificates, so that the tests can see which one is served.
  const trust = (keepAlive: boolean) => new Agent({ keepAlive, maxSockets: 1, ca: [FIRST.cert, SECOND.cert] });

  test('a new certificate is served to new connections, and open ones keep the old one', async () => {
    webhook.server.useKeyPair(FIRST);
    const open = trust(true);
    const before = await ask(open);
    webhook.server.useKeyPair(SECOND);
    const still = await ask(open);
    const fresh = await ask(trust(false));
    assert.deepEqual([before.name, still.name, fresh.name], ['first', 'first', 'second']);
    assert.equal(still.socket, before.socket);
    assert.deepEqual([before.status, still.status, fresh.status], [200, 200, 200]);
    open.destroy();
  });

  test('a new certificate at the source reaches the server', async () => {
    webhook.server.useKeyPair(FIRST);
    const { certificate, put } = certificateOf(FIRST);
    await certificate.check();
    const stop = new AbortController();
    const following = certificate.follow(stop.signal, webhook.server.useKeyPair);
    put(SECOND);
    while ((await reloads('loaded')) < 2) await new Promise(resolve => setTimeout(resolve, 5));
    const { name } = await ask(trust(false));
    assert.equal(name, 'second');
    stop.abort();
    await following;
  });
});
