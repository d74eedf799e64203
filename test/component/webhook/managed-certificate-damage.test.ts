import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { formatPem } from '@countersign/common/pem.ts';
import {
  createAuthority,
  issueServingCertificate,
} from '@countersign/webhook/managed-certificate/certificate-authority.ts';
import { CONFIGURATION, DAY_MS, SECRET, type Stored, World } from './managed-certificate-world.ts';
import { makeKeyPair } from './webhook-fixture.ts';

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
    for (const data of flipBits(Buffer.from(text, 'base64'))) {
      world.objects.set(SECRET, { ...secret, data: { ...secret.data, [entry]: data } });
      world.objects.set(CONFIGURATION, configuration);
      assert.ok(world.trusts((await world.replica().read()).cert), `${entry}: ${data}`);
    }
  }
});

/** One bit of one byte differs, of the DER where the text is PEM. */
function* flipBits(content: Buffer): Generator<string> {
  const [, label = '', body = ''] = /-----BEGIN (.+)-----([^-]+)-----END/.exec(content.toString()) ?? [];
  const bytes = label === '' ? content : Buffer.from(body, 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    yield label === '' ? changed.toString('base64') : base64(formatPem(label, changed));
  }
}
