// Parts of a CA certificate that Go's parser and OpenSSL treat differently: extension values, public keys, times.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import {
  encodeBitString,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { EXTENSION, PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { readCertificateTime } from '@countersign/signer/authority/certificate-time.ts';
import { findExtensionFault } from '@countersign/signer/authority/extension-faults.ts';
import { findPublicKeyFault } from '@countersign/signer/authority/public-key-faults.ts';
import { readPki, valueOf } from '../../../support/pki.ts';

const oid = encodeOid;
const uri = (text: string) => tlv(0x86, Buffer.from(text));
const name = tlv(0xa4, sequence());
const point = (...fields: readonly Buffer[]) => sequence(sequence(...fields));

type Extension = keyof typeof EXTENSION;

const GOOD: readonly (readonly [Extension, what: string, value: Buffer])[] = [
  ['crlDistributionPoints', 'URLs', point(tlv(0xa0, tlv(0xa0, uri('http://a'), uri('http://b'))))],
  ['crlDistributionPoints', 'only a CRL issuer', point(tlv(0xa2, name))],
  ['crlDistributionPoints', 'a directory name', point(tlv(0xa0, tlv(0xa0, name)))],
  ['certificatePolicies', 'two policies', sequence(sequence(oid('1.2.3')), sequence(oid('1.2.4'), sequence()))],
  ['policyMappings', 'a mapping', sequence(sequence(oid('1.2.3'), oid('1.2.4')))],
  ['policyConstraints', 'both numbers', sequence(tlv(0x80, Buffer.of(0)), tlv(0x81, Buffer.of(1)))],
  ['policyConstraints', 'none', sequence()],
  ['inhibitAnyPolicy', 'a number', encodeInteger(Buffer.of(0))],
  ['extKeyUsage', 'usages', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.2.3'))],
  ['authorityInfoAccess', 'a directory name', sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), name))],
  ['authorityKeyIdentifier', 'issuer and serial', sequence(tlv(0xa1, name), tlv(0x82, Buffer.of(1)))],
];

for (const [extension, what, value] of GOOD) {
  test(`${extension} with ${what} is accepted`, () => {
    assert.equal(findExtensionFault({ oid: EXTENSION[extension], critical: false, value }), undefined);
  });
}

const BAD: readonly (readonly [Extension, what: string, value: Buffer, fault: RegExp])[] = [
  [
    'crlDistributionPoints',
    'a name relative to the issuer',
    point(tlv(0xa0, tlv(0xa1, sequence()))),
    /CRL distribution/,
  ],
  ['crlDistributionPoints', 'no names', point(tlv(0xa0)), /CRL distribution/],
  [
    'certificatePolicies',
    'one policy twice',
    sequence(sequence(oid('1.2.3')), sequence(oid('1.2.3'))),
    /duplicate policy/,
  ],
  ['certificatePolicies', 'a bare OID', sequence(oid('1.2.3')), /certificate policies/],
  ['certificatePolicies', 'a truncated OID', sequence(sequence(tlv(TAG.oid, Buffer.of(0x2a, 0x83)))), /policies/],
  ['policyMappings', 'half a mapping', sequence(sequence(oid('1.2.3'))), /policy mappings/],
  ['policyConstraints', 'a non-minimal number', sequence(tlv(0x80, Buffer.of(0, 0))), /policy constraints/],
  [
    'policyConstraints',
    'the numbers in the wrong order',
    sequence(tlv(0x81, Buffer.of(0)), tlv(0x80, Buffer.of(0))),
    /policy/,
  ],
  ['inhibitAnyPolicy', 'a number of 65 bits', encodeInteger(Buffer.alloc(9, 1)), /inhibit any policy/],
  ['extKeyUsage', 'a text', sequence(tlv(0x0c, Buffer.from('any'))), /extended key usages/],
  ['extKeyUsage', 'a bare OID', oid('1.2.3'), /extended key usages/],
  ['authorityInfoAccess', 'a URL without method', sequence(sequence(uri('http://a'))), /authority info access/],
  ['authorityInfoAccess', 'a bare URL', uri('http://a'), /authority info access/],
  ['authorityKeyIdentifier', 'a truncated value', tlv(TAG.sequence, Buffer.of(0x80, 9, 1)), /authority key identifier/],
  ['subjectAltName', 'a malformed URI', sequence(uri('http://a..b/')), /cannot parse URI "http:\/\/a\.\.b\/"/],
];

for (const [extension, what, value, fault] of BAD) {
  test(`${extension} with ${what} is rejected, as in Go`, () => {
    assert.match(findExtensionFault({ oid: EXTENSION[extension], critical: false, value }) ?? '', fault);
  });
}

const spkiOf = (file: string) => createPublicKey(readPki(`keys/${file}`)).export({ format: 'der', type: 'spki' });
const [rsaBits = Buffer.alloc(0)] = valueOf(readChildren(valueOf(readWhole(spkiOf('rsa2048')))))
  .slice(1)
  .map(({ bytes }) => bytes);
const dsa = (...domain: readonly number[]) => sequence(...domain.map(each => encodeInteger(Buffer.of(each))));
const curve = sequence(oid(PUBLIC_KEY.ec), oid('1.2.840.10045.3.1.7'));
const NULL = tlv(TAG.null);

const KEYS: readonly (readonly [what: string, spki: Buffer, fault: RegExp | undefined])[] = [
  ...['rsa2048', 'rsa1024', 'p224', 'p521', 'ed25519', 'ed448', 'rsa-pss'].map(
    file => [file, spkiOf(file), undefined] as const,
  ),
  [
    'DSA',
    sequence(sequence(oid(PUBLIC_KEY.dsa), dsa(7, 5, 3)), encodeBitString(encodeInteger(Buffer.of(2)))),
    undefined,
  ],
  [
    'DSA without numbers',
    sequence(sequence(oid(PUBLIC_KEY.dsa), dsa(7, 5)), encodeBitString(encodeInteger(Buffer.of(2)))),
    /DSA/,
  ],
  ['RSA without NULL', sequence(sequence(oid(PUBLIC_KEY.rsa)), rsaBits), /missing NULL/],
  ['RSA of modulus 0', sequence(sequence(oid(PUBLIC_KEY.rsa), NULL), encodeBitString(dsa(0, 3))), /RSA modulus/],
  ['RSA of exponent 0', sequence(sequence(oid(PUBLIC_KEY.rsa), NULL), encodeBitString(dsa(15, 0))), /public exponent/],
  ['a compressed point', spkiOf('p256-compressed'), /not an uncompressed point/],
  ['a curve unknown to Go', spkiOf('secp256k1'), /not an uncompressed point/],
  ['a point that is not on its curve', sequence(curve, encodeBitString(Buffer.alloc(65, 4))), /not on the curve/],
  ['a bit string with unused bits', sequence(curve, tlv(TAG.bitString, Buffer.of(1, 2))), /subjectPublicKey/],
];

for (const [what, spki, fault] of KEYS) {
  test(`a public key of ${what} is ${fault ? 'rejected' : 'accepted'}, as in Go`, () => {
    const found = findPublicKeyFault(valueOf(readWhole(spki)));
    if (fault === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', fault);
  });
}

const utc = (text: string) =>
  readCertificateTime({ tag: TAG.utcTime, value: Buffer.from(text), bytes: Buffer.alloc(0) });
const general = (text: string) =>
  readCertificateTime({ tag: TAG.generalizedTime, value: Buffer.from(text), bytes: Buffer.alloc(0) });

test('times are parsed in both forms for any year', () => {
  assert.equal(utc('491231235959Z')?.toISOString(), '2049-12-31T23:59:59.000Z');
  assert.equal(utc('500101000000Z')?.toISOString(), '1950-01-01T00:00:00.000Z');
  assert.equal(general('20260101000000Z')?.toISOString(), '2026-01-01T00:00:00.000Z');
  assert.equal(general('99991231235959Z')?.toISOString(), '9999-12-31T23:59:59.000Z');
});

test('times with an offset, without seconds or with an invalid date are rejected', () => {
  for (const text of [
    '260101000000+0100',
    '2601010000Z',
    '260230000000Z',
    '261301000000Z',
    '260101240000Z',
    '260101000060Z',
  ]) {
    assert.equal(utc(text), undefined, text);
  }
  for (const text of ['20260101000000.5Z', '20260101000000', '260101000000Z'])
    assert.equal(general(text), undefined, text);
});

test('an extension that Go does not parse may contain anything, critical or not', () => {
  const value = encodeOctetString(Buffer.of(1));
  assert.equal(findExtensionFault({ oid: '1.2.3', critical: true, value }), undefined);
});
