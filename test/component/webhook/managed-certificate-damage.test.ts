// The managed certificate when its Secret is damaged or holds a CA that was written by hand.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { encodeBoolean, encodeInteger, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import {
  createAuthority,
  issueServingCertificate,
} from '@countersign/webhook/managed-certificate/certificate-authority.ts';
import { buildCertificate, type CertificateParts, createHolder, nameOf } from '../../support/certificate-builder.ts';
import { CONFIGURATION, DAY_MS, FakeCluster, SECRET, type Stored } from './fake-cluster.ts';
import { makeKeyPair } from './webhook-fixture.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const LIFETIME = { now: new Date('2026-01-01T00:00:00Z'), lifetimeMs: 365 * DAY_MS };
const OTHER = await createAuthority(LIFETIME);
const LEAF = await issueServingCertificate(OTHER, ['x'], LIFETIME);
const RSA = makeKeyPair('rsa', 30, ['-newkey', 'rsa:2048']);

for (const [what, damage] of [
  ['has no entries', {}],
  ['holds no certificate', { 'ca.crt': 'AAAA', 'ca.key': 'AAAA' }],
  ['holds an invalid key', { 'ca.crt': base64(OTHER.certPem), 'ca.key': 'AAAA' }],
  ['holds the key of another CA', { 'ca.crt': base64(OTHER.certPem), 'ca.key': base64(LEAF.key) }],
  ['holds a certificate that is not a CA', { 'ca.crt': base64(LEAF.cert), 'ca.key': base64(LEAF.key) }],
  ['holds a CA with another key type', { 'ca.crt': base64(RSA.cert), 'ca.key': base64(RSA.key) }],
] as const) {
  test(`a Secret that ${what} gets a new CA`, async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' }, data: { ...damage } });
    assert.ok(cluster.trusts((await cluster.replica().read()).cert));
    assert.notEqual(cluster.objects.get(SECRET)?.metadata.resourceVersion, '7');
  });
}

for (const [what, damage] of [
  ['a former CA', { 'former-ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }],
  ['the publication time', { 'next-published-at': 'yesterday' }],
] as const) {
  test(`a CA stays in use and still gets its successor if ${what} cannot be parsed`, async () => {
    const cluster = new FakeCluster();
    await cluster.replica().read();
    const [first] = cluster.trusted;
    cluster.pass(250 * DAY_MS);
    await cluster.replica().read();
    const found = cluster.objects.get(SECRET) as Stored;
    const data = Object.fromEntries(Object.entries(damage).map(([key, text]) => [key, base64(text)]));
    cluster.objects.set(SECRET, { ...found, data: { ...found.data, ...data } });
    for (let round = 0; round < 4; round += 1) {
      const { cert } = await cluster.replica().read();
      assert.ok(cluster.trusts(cert));
      if (round === 0) assert.equal(cluster.signerOf(cert)?.serialNumber, first?.serialNumber);
      if (round === 3) assert.notEqual(cluster.signerOf(cert)?.serialNumber, first?.serialNumber);
      cluster.pass(61_000);
    }
  });
}

/** CAs made by other tools, valid from 2026 to 2046. */
const HOLDER = createHolder('by hand');
const KEY_USAGE = { oid: EXTENSION.keyUsage, critical: true, value: encodeNamedBits(1 << 5) };
const identifier = (oid: string, tag: number, critical = false) => ({ oid, critical, value: tlv(tag, Buffer.of(1)) });
const withNames = (name: Buffer) => ({ subject: name, issuer: name });
const commonName = (tag: number, ...octets: number[]) =>
  sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.3'), tlv(tag, Buffer.from(octets)))));

function byHand(parts: CertificateParts): Stored {
  const { extensions = [], ...rest } = parts;
  const cert = buildCertificate(HOLDER, HOLDER, { extensions: [KEY_USAGE, ...extensions], ...rest });
  const key = HOLDER.privateKey.export({ format: 'pem', type: 'pkcs8' });
  const data = { 'ca.crt': base64(cert), 'ca.key': base64(key) };
  return { metadata: { name: SECRET, resourceVersion: '7' }, data };
}

const REFUSED_BY_GO: readonly (readonly [string, CertificateParts])[] = [
  ['an @ in a PrintableString', withNames(nameOf('a@b', 0x13))],
  ['a subject as a VisibleString', withNames(nameOf('a', 0x1a))],
  ['a subject as a UniversalString', withNames(commonName(0x1c, 0, 0, 0, 65))],
  ['a subject that is not UTF-8', withNames(commonName(0x0c, 0xff))],
  ['half a surrogate pair in its subject', withNames(commonName(0x1e, 0xd8, 0))],
  ['a negative serial number', { serial: tlv(TAG.integer, Buffer.of(0x80)) }],
  ['no extensions', { version: 'absent' }],
  [
    'a path length that exceeds an int',
    { basicConstraints: sequence(encodeBoolean(true), encodeInteger(Buffer.alloc(20, 1))) },
  ],
  ['a critical key identifier', { extensions: [identifier(EXTENSION.subjectKeyIdentifier, TAG.octetString, true)] }],
  [
    'a malformed authority key identifier',
    { extensions: [identifier(EXTENSION.authorityKeyIdentifier, TAG.octetString)] },
  ],
  ['name constraints', { extensions: [{ ...identifier(EXTENSION.nameConstraints, TAG.sequence), critical: true }] }],
  ['a subject of 5000 characters', withNames(nameOf('x'.repeat(5000)))],
  ['a notAfter in the past', { ends: '260102000000Z' }],
  ['a notAfter within a minute', { ends: '260201000030Z' }],
  ['a notBefore in the future', { begins: '270101000000Z' }],
];

for (const [what, parts] of REFUSED_BY_GO) {
  test(`a CA that was written to the Secret by hand with ${what} is replaced at once`, async () => {
    const cluster = new FakeCluster();
    cluster.now = new Date('2026-02-01T00:00:00Z');
    cluster.objects.set(SECRET, byHand(parts));
    const { cert, problem } = await cluster.replica().read();
    assert.ok(cluster.trusts(cert));
    assert.equal(problem, undefined);
    assert.match(new X509Certificate(cert).issuer, /^CN=countersign-webhook-ca$/);
  });
}

for (const [what, parts] of [
  ['as OpenSSL creates it', {}],
  ['with a custom key identifier', { extensions: [identifier(EXTENSION.subjectKeyIdentifier, TAG.octetString)] }],
  ['with a T61String', withNames(commonName(0x14, 0xe9))],
  ['with a BMPString', withNames(commonName(0x1e, 0, 65))],
  ['with a NumericString', withNames(nameOf('12', 0x12))],
  ['without a subject', withNames(sequence())],
  ['with a NUL in its subject', withNames(nameOf('a\0b'))],
] as const) {
  test(`a CA that was written to the Secret by hand ${what} is used to sign`, async () => {
    const cluster = new FakeCluster();
    cluster.now = new Date('2026-02-01T00:00:00Z');
    cluster.objects.set(SECRET, byHand(parts));
    const { cert } = await cluster.replica().read();
    assert.deepEqual(cluster.signerOf(cert)?.publicKey.equals(HOLDER.publicKey), true);
  });
}

test('a CA that was written to the Secret by hand signs once API servers know it, and the previous certificate stays trusted', async () => {
  const cluster = new FakeCluster();
  const [a, b] = [cluster.replica(), cluster.replica()];
  const served = await b.read();
  await a.read();
  const found = cluster.objects.get(SECRET) as Stored;
  const data = { 'ca.crt': base64(OTHER.certPem), 'ca.key': base64(OTHER.keyPem) };
  cluster.objects.set(SECRET, { ...found, data });
  await cluster.replica().read();
  assert.ok(cluster.trusts(served.cert), 'a replica that starts keeps the CA of the running replicas');
  assert.equal((await b.read()).cert, served.cert);
  cluster.pass(60_000);
  const { cert } = await b.read();
  assert.equal(cluster.signerOf(cert)?.serialNumber, new X509Certificate(OTHER.certPem).serialNumber);
});

test('a replica that starts serves with a trusted certificate, whichever byte of the CA Secret was changed', {
  timeout: 400_000,
}, async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  cluster.pass(250 * DAY_MS);
  await cluster.replica().read();
  const [secret, configuration] = [cluster.objects.get(SECRET), cluster.objects.get(CONFIGURATION)] as [Stored, Stored];
  for (const [entry, text] of Object.entries(secret.data ?? {})) {
    for (const data of flipBits(Buffer.from(text, 'base64'))) {
      cluster.objects.set(SECRET, { ...secret, data: { ...secret.data, [entry]: data } });
      cluster.objects.set(CONFIGURATION, configuration);
      assert.ok(cluster.trusts((await cluster.replica().read()).cert), `${entry}: ${data}`);
    }
  }
});

/** Flips one bit in each byte in turn, of the DER if the text is PEM. */
function* flipBits(content: Buffer): Generator<string> {
  const [, label = '', body = ''] = /-----BEGIN (.+)-----([^-]+)-----END/.exec(content.toString()) ?? [];
  const bytes = label === '' ? content : Buffer.from(body, 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    yield label === '' ? changed.toString('base64') : base64(formatPem(label, changed));
  }
}
