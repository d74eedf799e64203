// PKCS#10 requests: the parts of the certificate are copied byte for byte, and what two parsers could read in two ways
// is rejected. @peculiar/x509 is the reference.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBoolean, encodeOctetString, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION, EXTENSION_REQUEST } from '@countersign/common/x509/oids.ts';
import { hasValidSignature, parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import * as fc from 'fast-check';
import { encodeRequest, extensionRequest } from '../../support/pkcs10-builder.ts';
import { encode, names, parse, pemOf, withAttributes, withParts } from '../../support/pkcs10-parts.ts';
import { readPkiRequest, valueOf } from '../../support/pki.ts';
import { readRequest, readSignatureCases } from '../../support/vectors.ts';

const EQUALLY_READ = ['p256', 'p384', 'rsa2048', 'ed25519', 'no-subject', 'names', 'ca', 'serving-client'];

for (const name of EQUALLY_READ) {
  test(`parsePkcs10 reads the request ${name} as @peculiar/x509 does`, () => {
    const request = parse(readRequest(name));
    const other = new Pkcs10CertificateRequest(pemOf(readRequest(name)));
    assert.deepEqual(request.der, Buffer.from(other.rawData));
    assert.deepEqual(request.subject, Buffer.from(other.subjectName.toArrayBuffer()));
    assert.equal(request.hasEmptySubject, other.subject === '');
    assert.deepEqual(request.spki, Buffer.from(other.publicKey.rawData));
    assert.deepEqual(
      request.extensions,
      Array.from(other.extensions, ({ type, critical, value }) => ({ oid: type, critical, value: Buffer.from(value) })),
    );
    assert.equal(hasValidSignature(request), true);
  });
}

test('parsePkcs10 keeps every kind of name in subjectAltName', () => {
  const found = findExtension(parse(readRequest('names')), EXTENSION.subjectAltName);
  const tags = found && valueOf(readGeneralNames(found.value)).map(({ tag }) => tag);
  const { otherName, rfc822Name, dnsName: dns, uniformResourceIdentifier: uri, ipAddress: ip } = GENERAL_NAME;
  assert.deepEqual(tags, [dns, ip, ip, rfc822Name, uri, otherName]);
});

test('findExtension is undefined for a missing extension', () => {
  assert.equal(findExtension(parse(readRequest('p256')), EXTENSION.keyUsage), undefined);
});

for (const { name, request, isValid } of readSignatureCases()) {
  test(`hasValidSignature ${isValid ? 'accepts' : 'rejects'} ${name}`, () => {
    const parsed = parsePkcs10(request);
    // A request with an unusable key is rejected as a whole.
    assert.equal(parsed.ok && hasValidSignature(parsed.value), isValid);
  });
}

test('hasValidSignature rejects a signature whose algorithm is for another type of key', () => {
  const rsa = parse(readRequest('rsa2048'));
  assert.equal(hasValidSignature({ ...parse(readRequest('p256')), signatureAlgorithm: rsa.signatureAlgorithm }), false);
});

test('hasValidSignature rejects the signature of another request', () => {
  const { signature } = parse(readRequest('p384'));
  assert.equal(hasValidSignature({ ...parse(readRequest('p256')), signature }), false);
});

const pem = pemOf(readRequest('p256'));

const ACCEPTED: readonly (readonly [what: string, request: string])[] = [
  ['the label of old tools', encode(pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'))],
  [
    'text around the block, as openssl req -text writes it',
    encode(`Certificate Request:\n    Data:\n${pem}\nthe end\n`),
  ],
  ['PEM as long as the limit', encode(pem.padEnd(36_500))],
  ['base64 twice as long as the limit', readRequest('p256').padEnd(73_000)],
  ['lines that end in CRLF', encode(pem.replaceAll('\n', '\r\n'))],
  ['other attributes', withAttributes(sequence(encodeOid('1.2.840.113549.1.9.7'), tlv(TAG.set, tlv(0x0c))))],
  [
    'an attribute of another type with two values and a field too many',
    withAttributes(sequence(encodeOid('1.2.3'), tlv(TAG.set, names, names), tlv(TAG.null))),
  ],
  [
    'an attribute whose type is not an object identifier',
    withAttributes(sequence(tlv(TAG.oid, Buffer.of(0x80)), tlv(TAG.set))),
  ],
  [
    'an empty extensionRequest next to one that is not',
    withAttributes(sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set)), extensionRequest(names)),
  ],
  ['a negative version', withParts({ version: tlv(TAG.integer, Buffer.of(0xff)) })],
  [
    'an extension with an explicit critical flag of FALSE',
    withAttributes(
      extensionRequest(sequence(encodeOid('1.2.3'), encodeBoolean(false), encodeOctetString(Buffer.of()))),
    ),
  ],
];

for (const [what, request] of ACCEPTED) {
  test(`parsePkcs10 accepts ${what}`, () => assert.equal(parsePkcs10(request).ok, true));
}

test('a request with any byte changed is parsed or rejected, and never throws', () => {
  const bases = ['names', 'p256', 'rsa2048', 'ed25519'].map(name => parse(readRequest(name)).der);
  const constraints = parse(readPkiRequest('name-constraints')).der;
  const pss = parse(readPkiRequest('rsa-pss-salt32')).der;
  const change = fc.record({ at: fc.nat(2000), octet: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.constantFrom(...bases, constraints, pss),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(2000),
      (base, changes, cut) => {
        const changed = Buffer.from(base);
        for (const { at, octet } of changes) changed[at % changed.length] = octet;
        const request = parsePkcs10(encodeRequest(cut < changed.length ? changed.subarray(0, cut) : changed));
        if (!request.ok) return assert.equal(typeof request.error, 'string');
        // The parameters of a signature algorithm may change, but a change of signed data must be detected.
        const { certificationRequestInfo } = request.value;
        const isSame = base.includes(certificationRequestInfo);
        assert.ok(isSame || !hasValidSignature(request.value));
      },
    ),
    { numRuns: 1500 },
  );
});
