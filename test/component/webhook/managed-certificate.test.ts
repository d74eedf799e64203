import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { formatPem } from '@countersign/common/pem.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import {
  createAuthority,
  issueServingCertificate,
} from '@countersign/webhook/managed-certificate/certificate-authority.ts';
import { ManagedCertificate } from '@countersign/webhook/managed-certificate/managed-certificate.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { makeKeyPair } from './webhook-fixture.ts';

const DAY_MS = 86_400_000;
const CONFIGURATION = 'countersign-webhook';
const SECRET = 'countersign-webhook-ca';

interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly data?: Record<string, string>;
  readonly immutable?: boolean;
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

/** The Secret and the webhook configuration as the API server keeps them: writes on an old version conflict. */
class World {
  readonly objects = new Map<string, Stored>();
  readonly client = new RecordingClient(call => this.#answer(call));
  now = new Date('2026-01-01T00:00:00Z');
  #version = 0;

  constructor() {
    const webhooks = [{ name: 'requests.countersign.io', clientConfig: {} }];
    this.objects.set(CONFIGURATION, { metadata: { name: CONFIGURATION, resourceVersion: '0' }, webhooks });
    this.applySecret();
  }

  /** As the chart brings it: empty. */
  applySecret(): void {
    this.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' } });
  }

  replica(): ManagedCertificate {
    return new ManagedCertificate({
      client: this.client,
      log: TEST_LOG,
      secret: { namespace: 'countersign', name: SECRET },
      configuration: CONFIGURATION,
      names: ['countersign-webhook.countersign.svc', '127.0.0.1'],
      now: () => this.now,
    });
  }

  pass(milliseconds: number): void {
    this.now = new Date(this.now.getTime() + milliseconds);
  }

  /** The certificates that the API server trusts. */
  get trusted(): X509Certificate[] {
    const bundle = this.objects.get(CONFIGURATION)?.webhooks?.[0]?.clientConfig.caBundle ?? '';
    const pems =
      Buffer.from(bundle, 'base64')
        .toString()
        .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    return pems.map(pem => new X509Certificate(pem));
  }

  signerOf(certPem: string): X509Certificate | undefined {
    const leaf = new X509Certificate(certPem);
    return this.trusted.find(ca => leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && ca.validToDate > this.now);
  }

  /** Whether an API server would talk to a webhook with this certificate. */
  trusts(certPem: string): boolean {
    return this.signerOf(certPem) !== undefined && new X509Certificate(certPem).validToDate > this.now;
  }

  #answer({ verb, path, body }: RecordedCall): unknown {
    const name = path.replace(/\?.*/, '').split('/').at(-1) ?? '';
    if (verb === 'get') return structuredClone(this.objects.get(name));
    const given = body as Stored;
    const stored = this.objects.get(given.metadata.name);
    assert.equal(verb, 'update', 'it may create nothing');
    if (given.metadata.resourceVersion !== stored?.metadata.resourceVersion) {
      throw new RetryableError('conflict', { code: 'conflict' });
    }
    if (stored?.immutable === true) throw new TerminalError('field is immutable', { code: 'invalid' });
    this.#version += 1;
    const written = { ...given, metadata: { ...given.metadata, resourceVersion: String(this.#version) } };
    this.objects.set(given.metadata.name, structuredClone(written));
    return written;
  }
}

test('the first replica makes a CA, has it trusted, and serves for all the names with a certificate of it', async () => {
  const world = new World();
  const { cert } = await world.replica().read();
  const leaf = new X509Certificate(cert);
  assert.ok(world.trusts(cert));
  assert.equal(leaf.subjectAltName, 'DNS:countersign-webhook.countersign.svc, IP Address:127.0.0.1');
  assert.equal(leaf.ca, false);
  assert.equal(world.trusted[0]?.ca, true);
});

test('replicas that start at the same moment agree on one CA, each with a key of its own', async () => {
  const world = new World();
  const pairs = await Promise.all([1, 2, 3].map(() => world.replica().read()));
  assert.equal(world.trusted.length, 1);
  assert.ok(pairs.every(({ cert }) => world.trusts(cert)));
  assert.equal(new Set(pairs.map(({ key }) => key)).size, 3);
});

test('nothing is written while nothing is due', async () => {
  const world = new World();
  const replica = world.replica();
  const first = await replica.read();
  const before = world.client.writes.length;
  world.pass(DAY_MS);
  assert.deepEqual(await replica.read(), first);
  assert.equal(world.client.writes.length, before);
});

test('the serving certificate is renewed at two thirds of its life', async () => {
  const world = new World();
  const replica = world.replica();
  const first = await replica.read();
  world.pass(4 * DAY_MS);
  assert.equal(await replica.read(), first);
  world.pass(DAY_MS);
  const second = await replica.read();
  assert.notEqual(second.cert, first.cert);
  assert.ok(world.trusts(second.cert));
});

test('shortly before its CA ends, a serving certificate is not made anew at each look: another would end no later', async () => {
  const world = new World();
  await world.replica().read();
  world.pass(365 * DAY_MS - 100_000);
  const replica = world.replica();
  const first = await replica.read();
  world.pass(5_000);
  assert.equal(await replica.read(), first);
});

test('a Secret that somebody emptied in use gets a new CA, and what is served until the next look stays trusted', async () => {
  const world = new World();
  const [a, b] = [world.replica(), world.replica()];
  const served = await b.read();
  await a.read();
  world.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' } });
  assert.equal((await b.read()).cert, served.cert, 'API servers may not know the new CA yet');
  assert.ok(world.trusts(served.cert));
  await a.read();
  world.pass(60_000);
  const { cert } = await a.read();
  assert.ok(world.trusts(cert));
  assert.ok(world.trusts(served.cert));
  assert.notEqual(world.signerOf(cert)?.serialNumber, world.signerOf(served.cert)?.serialNumber);
});

test('a bundle that somebody emptied or replaced is put back', async () => {
  const world = new World();
  const replica = world.replica();
  const { cert } = await replica.read();
  const configuration = world.objects.get(CONFIGURATION) as Stored;
  world.objects.set(CONFIGURATION, {
    ...configuration,
    webhooks: [{ name: 'requests.countersign.io', clientConfig: {} }],
  });
  assert.ok(!world.trusts(cert));
  await replica.read();
  assert.ok(world.trusts(cert));
});

test('without its Secret nothing is written, and the text says what brings it back; then it goes on by itself', async () => {
  const world = new World();
  const replica = world.replica();
  world.objects.delete(SECRET);
  const text =
    'Secret countersign/countersign-webhook-ca does not exist; "helm upgrade" of the release, or its manifests applied again, brings it back';
  await assert.rejects(replica.read(), { message: text });
  assert.deepEqual(world.client.writes, []);
  world.applySecret();
  assert.ok(world.trusts((await replica.read()).cert));
});

test('a Secret that is deleted and comes back empty gets a new CA, which is trusted and served with', async () => {
  const world = new World();
  const replica = world.replica();
  const before = await replica.read();
  world.objects.delete(SECRET);
  await assert.rejects(replica.read());
  assert.ok(world.trusts(before.cert));
  world.applySecret();
  assert.equal((await replica.read()).cert, before.cert, 'API servers may not know the new CA yet');
  assert.ok(world.trusts(before.cert));
  world.pass(60_000);
  const { cert } = await replica.read();
  assert.notEqual(cert, before.cert);
  assert.ok(world.trusts(cert));
});

test('without a webhook configuration there is nothing to serve for, and the text says so', async () => {
  const world = new World();
  world.objects.delete(CONFIGURATION);
  await assert.rejects(world.replica().read(), /ValidatingWebhookConfiguration countersign-webhook does not exist/);
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const LIFETIME = { now: new Date('2026-01-01T00:00:00Z'), lifetimeMs: 365 * DAY_MS };
const OTHER = await createAuthority(LIFETIME);
const LEAF = await issueServingCertificate(OTHER, ['x'], LIFETIME);
const RSA = makeKeyPair('rsa', 30, ['-newkey', 'rsa:2048']);

for (const [what, damage] of [
  ['has no entries', {}],
  ['holds no certificate', { 'ca.crt': 'AAAA', 'ca.key': 'AAAA' }],
  ['holds a key that is none', { 'ca.crt': base64(OTHER.certPem), 'ca.key': 'AAAA' }],
  ['holds the key of another CA', { 'ca.crt': base64(OTHER.certPem), 'ca.key': base64(LEAF.key) }],
  ['holds a certificate that is no CA', { 'ca.crt': base64(LEAF.cert), 'ca.key': base64(LEAF.key) }],
  ['holds a CA of another kind of key', { 'ca.crt': base64(RSA.cert), 'ca.key': base64(RSA.key) }],
] as const) {
  test(`a Secret that ${what} is filled with a new CA`, async () => {
    const world = new World();
    world.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' }, data: { ...damage } });
    assert.ok(world.trusts((await world.replica().read()).cert));
    assert.notEqual(world.objects.get(SECRET)?.metadata.resourceVersion, '7');
  });
}

for (const [what, damage] of [
  ['a former CA', { 'former-ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }],
  ['the time of the publication', { 'next-published-at': 'yesterday' }],
] as const) {
  test(`where ${what} cannot be read, the CA goes on, and still gets its successor`, async () => {
    const world = new World();
    await world.replica().read();
    const [first] = world.trusted;
    world.pass(250 * DAY_MS);
    await world.replica().read();
    const found = world.objects.get(SECRET) as Stored;
    const data = Object.fromEntries(Object.entries(damage).map(([key, text]) => [key, base64(text)]));
    world.objects.set(SECRET, { ...found, data: { ...found.data, ...data } });
    for (let look = 0; look < 4; look += 1) {
      const { cert } = await world.replica().read();
      assert.ok(world.trusts(cert));
      if (look === 0) assert.equal(world.signerOf(cert)?.serialNumber, first?.serialNumber);
      if (look === 3) assert.notEqual(world.signerOf(cert)?.serialNumber, first?.serialNumber);
      world.pass(61_000);
    }
  });
}

test('a CA that ended while no replica ran is replaced at once', async () => {
  const world = new World();
  await world.replica().read();
  world.pass(400 * DAY_MS);
  assert.ok(world.trusts((await world.replica().read()).cert));
});

test('a CA that is not valid yet is replaced at once, and stays trusted, since the clock of another replica may be ahead', async () => {
  const world = new World();
  world.pass(400 * DAY_MS);
  await world.replica().read();
  const [first] = world.trusted;
  world.pass(-400 * DAY_MS);
  const { cert } = await world.replica().read();
  assert.ok((world.signerOf(cert)?.validFromDate ?? world.now) < world.now);
  assert.ok(world.trusted.some(({ serialNumber }) => serialNumber === first?.serialNumber));
});

test('a CA that is put into the Secret by hand signs once it is known, and what is served until then stays trusted', async () => {
  const world = new World();
  const [a, b] = [world.replica(), world.replica()];
  const served = await b.read();
  await a.read();
  const found = world.objects.get(SECRET) as Stored;
  const data = { 'ca.crt': base64(OTHER.certPem), 'ca.key': base64(OTHER.keyPem) };
  world.objects.set(SECRET, { ...found, data });
  await world.replica().read();
  assert.ok(world.trusts(served.cert), 'a replica that starts keeps the CA of those that run');
  assert.equal((await b.read()).cert, served.cert);
  world.pass(60_000);
  const { cert } = await b.read();
  assert.equal(world.signerOf(cert)?.serialNumber, new X509Certificate(OTHER.certPem).serialNumber);
});

test('an immutable Secret without a usable CA is left, and the text says how to replace it', async () => {
  const world = new World();
  const replica = world.replica();
  const { cert } = await replica.read();
  world.objects.set(SECRET, {
    metadata: { name: SECRET, resourceVersion: '8' },
    data: { 'ca.crt': 'AAAA' },
    immutable: true,
  });
  const message =
    "Secret countersign/countersign-webhook-ca cannot be updated with the webhook's CA (it is immutable): " +
    'delete it ("kubectl delete secret -n countersign countersign-webhook-ca"); then "helm upgrade" of the release, ' +
    'or its manifests applied again, brings it back';
  await assert.rejects(replica.read(), { message });
  assert.ok(world.trusts(cert));
});

test('whichever byte of the CA Secret is changed, a replica that starts serves with a certificate that is trusted', {
  timeout: 120_000,
}, async () => {
  const world = new World();
  await world.replica().read();
  world.pass(250 * DAY_MS);
  await world.replica().read();
  const [secret, configuration] = [world.objects.get(SECRET), world.objects.get(CONFIGURATION)] as [Stored, Stored];
  for (const [entry, text] of Object.entries(secret.data ?? {})) {
    for (const data of damage(Buffer.from(text, 'base64'))) {
      world.objects.set(SECRET, { ...secret, data: { ...secret.data, [entry]: data } });
      world.objects.set(CONFIGURATION, configuration);
      assert.ok(world.trusts((await world.replica().read()).cert), `${entry}: ${data}`);
    }
  }
});

/** One bit of one byte differs, of the DER where the text is PEM. */
function* damage(content: Buffer): Generator<string> {
  const [, label = '', body = ''] = /-----BEGIN (.+)-----([^-]+)-----END/.exec(content.toString()) ?? [];
  const bytes = label === '' ? content : Buffer.from(body, 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    yield label === '' ? changed.toString('base64') : base64(formatPem(label, changed));
  }
}

test('a serving certificate that begins in the future, since the clock was wrong, is made anew', async () => {
  const world = new World();
  await world.replica().read();
  const replica = world.replica();
  world.pass(2 * DAY_MS);
  await replica.read();
  world.pass(-2 * DAY_MS);
  assert.ok(new X509Certificate((await replica.read()).cert).validFromDate <= world.now);
});

test('throughout two years in which three replicas look in turn, all that is served is trusted, and CAs come and go', {
  // Two seconds of work: some hundred keys and certificates.
  timeout: 120_000,
}, async () => {
  const world = new World();
  const replicas = [world.replica(), world.replica(), world.replica()];
  const signers = new Set<string>();
  for (let day = 0; day < 730; day += 60) {
    // Each step of a rotation happens at one of these looks, and one replica is always ahead of the others.
    for (let look = 0; look < 4; look += 1) {
      for (const replica of [...replicas, world.replica()]) {
        const { cert } = await replica.read();
        assert.ok(world.trusts(cert), `day ${day}, look ${look}`);
        signers.add(world.signerOf(cert)?.serialNumber ?? '');
      }
      world.pass(45_000);
    }
    world.pass(60 * DAY_MS - 180_000);
  }
  assert.equal(signers.size, 3);
  assert.ok(world.trusted.length <= 2, 'former CAs are dropped when they end');
});
