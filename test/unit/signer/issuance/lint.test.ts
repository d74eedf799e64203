// Lint: certificates that match the profile pass; any deviation from the profile or RFC 5280 is found and named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { publicKeyOctets } from '@countersign/common/x509/public-key.ts';
import { lintCertificate } from '@countersign/signer/issuance/lint.ts';
import { type PreparedCertificate, prepareCertificate } from '@countersign/signer/issuance/prepare.ts';
import type { Profile } from '@countersign/signer/issuance/profile.ts';
import { readCaCertificates, readKey, readPkiRequest, valueOf } from '../../../support/pki.ts';
import { profileFor, SERIAL } from '../../../support/profiles.ts';
import { readRequest } from '../../../support/vectors.ts';

const [root] = readCaCertificates('root');
const ecdsa = valueOf(readKey('p256').signatureAlgorithm);
const rsa = valueOf(readKey('rsa2048').signatureAlgorithm);

const urls = {
  crlDistributionPoints: ['http://crl.example/1', 'http://crl.example/2'],
  ocspServers: ['http://ocsp.example'],
  issuingCertificateUrls: ['http://ca.example/ca.crt'],
};

/** A profile with every optional part. */
const full: Profile = {
  ...profileFor({
    request: readRequest('names'),
    usages: ['cert sign', 'server auth'],
    urls,
    ...(root && { issuer: root }),
  }),
  isCa: true,
  hasKeyIdentifier: true,
  nameConstraints: profileFor({ request: readPkiRequest('name-constraints') }).nameConstraints ?? assert.fail(),
};

function rulesOf(prepared: PreparedCertificate): readonly string[] {
  const result = lintCertificate(prepared);
  return result.ok ? [] : result.error.map(({ rule }) => rule);
}

const PASSING: readonly (readonly [what: string, profile: Profile])[] = [
  ['a certificate with every part', full],
  ['a plain certificate', profileFor({})],
  ['a certificate without a subject', profileFor({ request: readRequest('no-subject') })],
  [
    'a self-signed certificate without any names',
    { ...profileFor({}), subject: sequence(), hasEmptySubject: true, issuer: { subject: sequence() } },
  ],
  ['a CA that may not sign certificates', { ...profileFor({ usages: ['digital signature'] }), isCa: true }],
  ['a leaf that may sign certificates', profileFor({ usages: ['cert sign', 'crl sign'] })],
  ['a certificate without usages', { ...profileFor({}), keyUsage: 0 }],
  ['a certificate that expires after 2049', { ...profileFor({}), notAfter: new Date('2126-01-01T00:00:00Z') }],
  ['a short serial', { ...profileFor({}), serial: Buffer.from('0000000000000000000000000000000000000080', 'hex') }],
];

for (const [what, profile] of PASSING) {
  test(`lint accepts ${what}`, () => assert.deepEqual(rulesOf(prepareCertificate(profile, ecdsa)), []));
}

/** The profile of the certificate, and the rules that must detect the difference from the decided one. */
type Difference = readonly [what: string, actual: Partial<Profile>, rules: readonly string[]];

const names = sequence(tlv(0x82, Buffer.from('evil.example')));
const DIFFERENCES: readonly Difference[] = [
  ['a different serial', { serial: Buffer.from([1]) }, ['serial']],
  ['a different issuer', { issuer: { ...full.issuer, subject: sequence() } }, ['issuer']],
  ['an earlier notBefore', { notBefore: new Date('2020-01-01T00:00:00Z') }, ['validity']],
  ['a later notAfter', { notAfter: new Date('2090-01-01T00:00:00Z') }, ['validity']],
  ['a different subject', { subject: sequence() }, ['subject']],
  [
    'a different key',
    { publicKey: profileFor({ request: readRequest('p384') }).publicKey },
    ['public key', 'subject key identifier'],
  ],
  ['a missing CA flag', { isCa: false }, ['basic constraints']],
  ['a missing key identifier', { hasKeyIdentifier: false }, ['list of extensions']],
  ['additional usages', { keyUsage: 0b1100000 }, ['key usage']],
  ['an unknown usage', { keyUsage: full.keyUsage | (1 << 9) }, ['key usage']],
  ['different extended usages', { extKeyUsages: ['2.5.29.37.0'] }, ['extended key usage']],
  ['missing usages', { keyUsage: 0, extKeyUsages: [] }, ['list of extensions']],
  ['different names', { subjectAltName: names }, ['subject alternative name']],
  ['names with a different criticality', { hasEmptySubject: true }, ['subject alternative name']],
  [
    'non-critical name constraints',
    { nameConstraints: { oid: '2.5.29.30', critical: false, value: full.nameConstraints?.value ?? assert.fail() } },
    ['name constraints'],
  ],
  [
    'a different authority key identifier',
    { issuer: { subject: full.issuer.subject, subjectKeyIdentifier: Buffer.of(1) } },
    ['authority key identifier'],
  ],
  ['different CRL URLs', { crlDistributionPoints: ['http://evil.example'] }, ['CRL distribution points']],
  ['different OCSP URLs', { ocspServers: ['http://evil.example'] }, ['authority information access']],
];

for (const [what, actual, rules] of DIFFERENCES) {
  test(`lint detects ${what}`, () => {
    const { tbs } = prepareCertificate({ ...full, ...actual }, ecdsa);
    assert.deepEqual(rulesOf({ tbs, profile: full, signatureAlgorithm: ecdsa }), rules);
  });
}

test('lint detects the signature algorithm of another key', () => {
  const { tbs } = prepareCertificate(full, ecdsa);
  assert.deepEqual(rulesOf({ tbs, profile: full, signatureAlgorithm: rsa }), ['signature algorithm']);
});

const MALFORMED: readonly (readonly [what: string, profile: Partial<Profile>, rules: readonly string[]])[] = [
  ['serial zero', { serial: Buffer.alloc(20) }, ['serial']],
  ['a serial of 21 octets', { serial: Buffer.alloc(20, 0xff) }, ['serial']],
  ['notAfter before notBefore', { notAfter: new Date('2020-01-01T00:00:00Z') }, ['validity']],
  ['notAfter equal to notBefore', { notAfter: full.notBefore }, ['validity']],
  [
    'an unsupported key type',
    { publicKey: sequence(sequence(), tlv(TAG.bitString, Buffer.of(0))), isCa: false },
    ['public key'],
  ],
  ['malformed names', { subjectAltName: encodeOctetString(Buffer.of()) }, ['subject alternative name']],
  ['a year of five digits', { notAfter: new Date(Date.UTC(10_000, 0)) }, ['certificate']],
  ['a subject that is not DER', { subject: Buffer.from([0x30, 0x05, 0]) }, ['certificate']],
];

for (const [what, profile, rules] of MALFORMED) {
  test(`lint rejects ${what} even if the profile has it`, () => {
    assert.deepEqual(rulesOf(prepareCertificate({ ...full, ...profile }, ecdsa)), rules);
  });
}

function childrenOf(der: Buffer): readonly Buffer[] {
  return valueOf(readChildren(valueOf(readWhole(der)))).map(({ bytes }) => bytes);
}

/** Returns the TBS certificate with the field at `at` replaced. */
function withField(tbs: Buffer, at: number, field: Buffer): Buffer {
  return sequence(...childrenOf(tbs).map((own, index) => (index === at ? field : own)));
}

/** Returns the TBS certificate with one extension re-encoded: `parts` follow its type. */
function withExtension(tbs: Buffer, oid: string, ...parts: readonly Buffer[]): Buffer {
  const [list = assert.fail()] = childrenOf(childrenOf(tbs)[7] ?? assert.fail());
  const type = encodeOid(oid);
  const extensions = childrenOf(list).map(own => (own.includes(type) ? sequence(type, ...parts) : own));
  return withField(tbs, 7, tlv(0xa3, sequence(...extensions)));
}

const plain: Profile = { ...profileFor({ request: readRequest('names') }), serial: SERIAL.subarray(1) };
const allNames = plain.subjectAltName ?? assert.fail();
const plainTbs = prepareCertificate(plain, ecdsa).tbs;
const constraints = (...fields: readonly Buffer[]) =>
  withExtension(plainTbs, EXTENSION.basicConstraints, encodeBoolean(true), encodeOctetString(sequence(...fields)));

/** Encodings that differ from the profile's, or add to it. */
const REENCODED: readonly (readonly [what: string, tbs: Buffer, rules: readonly string[]])[] = [
  ['a non-minimal serial', withField(plainTbs, 1, tlv(TAG.integer, Buffer.of(0), plain.serial)), ['serial']],
  [
    'an explicit FALSE for the criticality of names',
    withExtension(plainTbs, EXTENSION.subjectAltName, encodeBoolean(false), encodeOctetString(allNames)),
    ['certificate'],
  ],
  ['an explicit FALSE for the CA flag', constraints(encodeBoolean(false)), ['basic constraints']],
  ['a path length without the CA flag', constraints(encodeInteger(Buffer.of(0))), ['basic constraints']],
];

for (const [what, tbs, rules] of REENCODED) {
  test(`lint detects ${what}`, () => {
    assert.deepEqual(rulesOf({ tbs, profile: plain, signatureAlgorithm: ecdsa }), rules);
  });
}

const BAD_URLS: readonly (readonly [urls: Partial<Profile>, rule: string, citation: string])[] = [
  [{ crlDistributionPoints: ['http://exämple/'] }, 'CRL distribution points', 'RFC 5280 4.2.1.13'],
  [{ ocspServers: ['http://exämple/'] }, 'authority information access', 'RFC 5280 4.2.2.1'],
  [{ issuingCertificateUrls: ['http://exämple/'] }, 'authority information access', 'RFC 5280 4.2.2.1'],
];

for (const [badUrls, rule, citation] of BAD_URLS) {
  test(`lint rejects a URL in ${Object.keys(badUrls).join()} that is not ASCII`, () => {
    const result = lintCertificate(prepareCertificate({ ...full, ...badUrls }, ecdsa));
    const problem =
      'has a URL that is not printable ASCII: percent-encode it in the issuer spec, and write its host in Punycode';
    assert.deepEqual(result, { ok: false, error: [{ rule, citation, problem }] });
  });
}

test('lint rejects an RSA key with trailing bytes', () => {
  const { publicKey } = profileFor({ request: readRequest('rsa2048') });
  const [algorithm] = valueOf(readChildren(valueOf(readWhole(publicKey))));
  const octets = publicKeyOctets(publicKey);
  assert.ok(algorithm && octets);
  const spki = sequence(algorithm.bytes, encodeBitString(Buffer.concat([octets, Buffer.from('junk')])));
  assert.deepEqual(rulesOf(prepareCertificate({ ...plain, publicKey: spki }, ecdsa)), ['public key']);
});

test('each lint finding cites its source', () => {
  const result = lintCertificate(prepareCertificate({ ...full, serial: Buffer.alloc(20) }, ecdsa));
  assert.deepEqual(result, {
    ok: false,
    error: [{ rule: 'serial', citation: 'RFC 5280 4.1.2.2', problem: 'is zero' }],
  });
});

for (const [what, profile] of PASSING) {
  test(`lint detects every single-bit flip in ${what}`, () => {
    const prepared = prepareCertificate(profile, ecdsa);
    const missed: string[] = [];
    for (let bit = 0; bit < prepared.tbs.length * 8; bit++) {
      const tbs = Buffer.from(prepared.tbs);
      tbs[bit >> 3] = (tbs[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (rulesOf({ ...prepared, tbs }).length === 0) missed.push(`bit ${bit & 7} of octet ${bit >> 3}`);
    }
    assert.deepEqual(missed, []);
  });
}
