// CA certificates that OpenSSL accepts and Go's parser rejects: the API server would reject every chain with one
// of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { EXTENSION, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { parseCertificates, parseIssuance } from '@countersign/signer/authority/ca-certificate.ts';
import { buildCertificate, type CertificateParts, createHolder, nameOf } from '../../../support/certificate-builder.ts';
import { errorOf, valueOf } from '../../../support/pki.ts';

const ca = createHolder('CA');

function readError(parts: CertificateParts): string | undefined {
  return errorOf(parseCertificates(buildCertificate(ca, ca, parts)));
}

function constraintsOf(...fields: readonly Buffer[]): CertificateParts {
  return { basicConstraints: sequence(encodeBoolean(true), ...fields) };
}

function extensionOf(oid: string, critical: boolean, value: Buffer): CertificateParts {
  return { extensions: [{ oid, critical, value }] };
}

const identifier = encodeOctetString(Buffer.from('identifier'));
const domain = (text: string) => sequence(tlv(0xa0, sequence(tlv(0x82, Buffer.from(text)))));

const names = (tag: number, text: string) => sequence(tlv(tag, Buffer.from(text)));

const ACCEPTED: readonly (readonly [what: string, parts: CertificateParts])[] = [
  ['a plain CA', {}],
  ['a serial with the top bit set', { serial: encodeInteger(Buffer.of(0xff)) }],
  ['a path length of zero', constraintsOf(encodeInteger(Buffer.of(0)))],
  ['a key identifier', extensionOf(EXTENSION.subjectKeyIdentifier, false, identifier)],
  ['an authority key identifier', extensionOf(EXTENSION.authorityKeyIdentifier, false, sequence())],
  ['a host name', extensionOf(EXTENSION.subjectAltName, false, names(GENERAL_NAME.dnsName, 'ca.example'))],
  [
    'name constraints of a type unknown to Go',
    extensionOf(EXTENSION.nameConstraints, true, sequence(tlv(0xa0, sequence(tlv(0xa4, sequence()))))),
  ],
  ['name constraints', extensionOf(EXTENSION.nameConstraints, true, domain('.example.com'))],
];

for (const [what, parts] of ACCEPTED) {
  test(`a CA certificate with ${what} is accepted`, () => assert.equal(readError(parts), undefined));
}

const REJECTED: readonly (readonly [what: string, parts: CertificateParts, error: string])[] = [
  ['an invalid notAfter', { ends: '271301000000Z' }, 'x509: malformed validity'],
  ['version 4', { version: 3 }, 'x509: invalid version'],
  [
    'a malformed key identifier',
    extensionOf(EXTENSION.subjectKeyIdentifier, false, sequence()),
    'x509: invalid subject key identifier',
  ],
  [
    'a malformed authority key identifier',
    extensionOf(EXTENSION.authorityKeyIdentifier, false, identifier),
    'x509: invalid authority key identifier',
  ],
  [
    'an IP address with a mask as a name',
    extensionOf(EXTENSION.subjectAltName, false, names(GENERAL_NAME.ipAddress, '12345678')),
    'x509: cannot parse IP address of length 8: use 4 octets for IPv4 or 16 for IPv6',
  ],
  [
    'a host name that is not ASCII',
    extensionOf(EXTENSION.subjectAltName, false, names(GENERAL_NAME.dnsName, 'é')),
    'x509: SAN dNSName is malformed: not ASCII: encode it in Punycode',
  ],
  ['a negative serial', { serial: tlv(TAG.integer, Buffer.of(0xff)) }, 'x509: negative serial number'],
  ['a non-minimal serial', { serial: tlv(TAG.integer, Buffer.of(0, 1)) }, 'x509: malformed serial number'],
  ['a negative path length', constraintsOf(tlv(TAG.integer, Buffer.of(0xff))), 'x509: invalid basic constraints'],
  ['an oversized path length', constraintsOf(encodeInteger(Buffer.alloc(9, 1))), 'x509: invalid basic constraints'],
  [
    'a critical subject key identifier',
    extensionOf(EXTENSION.subjectKeyIdentifier, true, identifier),
    'x509: subject key identifier incorrectly marked critical',
  ],
  [
    'a critical authority key identifier',
    extensionOf(EXTENSION.authorityKeyIdentifier, true, sequence()),
    'x509: authority key identifier incorrectly marked critical',
  ],
  [
    'a critical authority information access',
    extensionOf(EXTENSION.authorityInfoAccess, true, sequence()),
    'x509: authority info access incorrectly marked critical',
  ],
  [
    'name constraints that Go rejects',
    extensionOf(EXTENSION.nameConstraints, true, domain('.')),
    'x509: failed to parse dnsName constraint ".": use a domain, with a leading period to match subdomains only',
  ],
  [
    'a subject of a string type that Go rejects',
    { subject: nameOf('odd', 0x1e) },
    'subject: attribute 2.5.4.3 is not a valid BMPString: encode it as a UTF8String or omit it',
  ],
  ['malformed key usages', extensionOf(EXTENSION.keyUsage, true, identifier), 'x509: invalid key usage'],
  [
    'two signature algorithms',
    { algorithm: sequence(encodeOid(SIGNATURE.ecdsaSha384)) },
    "x509: inner and outer signature algorithm identifiers don't match",
  ],
];

test('a signed structure with too few fields for a certificate is rejected', () => {
  const bare = sequence(sequence(encodeInteger(Buffer.of(1))), sequence(), encodeBitString(Buffer.of(1)));
  const error = 'error parsing X.509 certificate: malformed certificate';
  assert.equal(errorOf(parseCertificates(formatPem('CERTIFICATE', bare))), error);
});

for (const [what, parts, error] of REJECTED) {
  test(`a CA certificate with ${what} is rejected, as in Go`, () => {
    const advice = 'the API server rejects this certificate: issue a new one';
    assert.equal(readError(parts), `error parsing X.509 certificate: ${error}; ${advice}`);
  });
}

const usage = (bit: number) => extensionOf(EXTENSION.keyUsage, true, encodeNamedBits(1 << bit));
const notCa = { basicConstraints: sequence() };

const SIGNERS: readonly (readonly [what: string, parts: CertificateParts, canSign: boolean])[] = [
  ['a CA without key usages', {}, true],
  ['a CA with the usage keyCertSign', usage(5), true],
  ['a CA with only the usage cRLSign', usage(6), false],
  ['a CA with only the usage keyAgreement', usage(4), false],
  ['a certificate that is not a CA but has the usage keyCertSign', { ...usage(5), ...notCa }, false],
  ['a version 3 certificate that is not a CA', notCa, false],
  ['a version 3 certificate without basicConstraints', { ...usage(5), basicConstraints: 'absent' }, false],
  ['a version 1 certificate', { version: 'absent' }, true],
  ['a version 2 certificate, which has no extensions', { ...notCa, version: 1 }, true],
];

for (const [what, parts, canSign] of SIGNERS) {
  test(`${what} ${canSign ? 'may' : 'may not'} sign certificates`, () => {
    const [certificate] = valueOf(parseCertificates(buildCertificate(ca, ca, parts)));
    assert.equal(certificate?.canSignCertificates, canSign);
  });
}

test('the issuer of a leaf is read regardless of its names, since the API server has accepted them', () => {
  const uri = extensionOf(
    EXTENSION.subjectAltName,
    false,
    names(GENERAL_NAME.uniformResourceIdentifier, 'http://a..b/'),
  );
  const leaf = buildCertificate(ca, ca, { ...uri, ...notCa });
  assert.equal(errorOf(parseCertificates(leaf)) === undefined, false);
  assert.deepEqual(valueOf(parseIssuance(leaf)).issuer, nameOf('CA'));
});

test('a certificate among the 64 parsed last is not parsed again', () => {
  const first = buildCertificate(ca);
  const parse = (pem: string) => valueOf(parseCertificates(pem))[0];
  const parsed = parse(first);
  for (let at = 0; at < 63; at++) parse(buildCertificate(ca));
  assert.equal(parse(first), parsed);
  for (let at = 0; at < 64; at++) parse(buildCertificate(ca));
  assert.notEqual(parse(first), parsed);
  assert.deepEqual(parse(first), parsed);
});
