// PKCS#10 requests: what a certificate is made of is taken byte for byte, and whatever two readers could read in two
// ways is refused. @peculiar/x509 is the second opinion.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeBitString,
  encodeBoolean,
  encodeOctetString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/der.ts';
import { encodeExtension, findExtension } from '@countersign/common/extension.ts';
import { EXTENSION, EXTENSION_REQUEST } from '@countersign/common/oids.ts';
import { formatPem } from '@countersign/common/pem.ts';
import { hasValidSignature, type Pkcs10, parsePkcs10 } from '@countersign/common/pkcs10.ts';
import { publicKeyOctets } from '@countersign/common/public-key.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/subject-alt-name.ts';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import * as fc from 'fast-check';
import { errorOf, readPkiRequest, valueOf } from '../../support/pki.ts';
import { readRequest, readSignatureCases } from '../../support/vectors.ts';

function parse(request: string): Pkcs10 {
  return valueOf(parsePkcs10(request));
}

function pemOf(request: string): string {
  return Buffer.from(request, 'base64').toString();
}

function encode(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/** A request of the given DER, in the form of spec.request. */
function wrap(der: Buffer): string {
  return encode(formatPem('CERTIFICATE REQUEST', der));
}

interface Parts {
  readonly subject?: Buffer;
  readonly spki?: Buffer;
  readonly attributes?: readonly Buffer[];
  /** Of the last octet of the signature. */
  readonly unusedBits?: number;
}

/** A request with these parts instead of its own; its signature is then of no worth, but parsing does not look at it. */
function withParts(parts: Parts): string {
  const { certificationRequestInfo, signatureAlgorithm, signature } = parse(readRequest('p256'));
  const [version, subject, spki, attributes] = valueOf(readChildren(valueOf(readWhole(certificationRequestInfo))));
  assert.ok(version && subject && spki && attributes);
  const info = sequence(
    version.bytes,
    parts.subject ?? subject.bytes,
    parts.spki ?? spki.bytes,
    parts.attributes ? tlv(0xa0, ...parts.attributes) : attributes.bytes,
  );
  return wrap(sequence(info, signatureAlgorithm, tlv(TAG.bitString, Buffer.of(parts.unusedBits ?? 0), signature)));
}

function withAttributes(...attributes: readonly Buffer[]): string {
  return withParts({ attributes });
}

function extensionRequest(...extensions: readonly Buffer[]): Buffer {
  return sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(...extensions)));
}

function extension(oid: string, value: Buffer): Buffer {
  return encodeExtension({ oid, critical: false, value });
}

const dnsName = sequence(tlv(GENERAL_NAME.dnsName, Buffer.from('a.example')));
const names = extension(EXTENSION.subjectAltName, dnsName);

const EQUALLY_READ = ['p256', 'p384', 'rsa2048', 'ed25519', 'no-subject', 'names', 'ca', 'serving-client'];

for (const name of EQUALLY_READ) {
  test(`reads the request ${name} as @peculiar/x509 does`, () => {
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

test('keeps otherName and every other kind of name in subjectAltName', () => {
  const found = findExtension(parse(readRequest('names')), EXTENSION.subjectAltName);
  const tags = found && valueOf(readGeneralNames(found.value)).map(({ tag }) => tag);
  const { otherName, rfc822Name, dnsName: dns, uniformResourceIdentifier: uri, ipAddress: ip } = GENERAL_NAME;
  assert.deepEqual(tags, [dns, ip, ip, rfc822Name, uri, otherName]);
});

test('finds no extension that is not there', () => {
  assert.equal(findExtension(parse(readRequest('p256')), EXTENSION.keyUsage), undefined);
});

for (const { name, request, isValid } of readSignatureCases()) {
  test(`${isValid ? 'accepts' : 'does not accept'} as a signature: ${name}`, () => {
    const parsed = parsePkcs10(request);
    // A key that nothing can be verified with is refused with the request.
    assert.equal(parsed.ok && hasValidSignature(parsed.value), isValid);
  });
}

test('does not accept a signature whose algorithm is for another kind of key', () => {
  const rsa = parse(readRequest('rsa2048'));
  assert.equal(hasValidSignature({ ...parse(readRequest('p256')), signatureAlgorithm: rsa.signatureAlgorithm }), false);
});

test('does not accept the signature of another request', () => {
  const { signature } = parse(readRequest('p384'));
  assert.equal(hasValidSignature({ ...parse(readRequest('p256')), signature }), false);
});

const pem = pemOf(readRequest('p256'));
const der = parse(readRequest('p256')).der;
const PEM_ERROR = 'error decoding certificate request PEM block: ';
const DER_ERROR = 'error parsing certificate request: ';

/** The same RSA key, with more in its BIT STRING than the two numbers. */
function withBytesBehind(spki: Buffer): Buffer {
  const [algorithm] = valueOf(readChildren(valueOf(readWhole(spki))));
  const octets = publicKeyOctets(spki);
  assert.ok(algorithm && octets);
  return sequence(algorithm.bytes, encodeBitString(Buffer.concat([octets, Buffer.from('junk')])));
}

const REFUSED: readonly (readonly [what: string, request: string, error: string])[] = [
  ['what is not base64', '%%%', `${PEM_ERROR}illegal base64 data`],
  ['base64url', readRequest('p256').replace(/=*$/, '_==='), `${PEM_ERROR}illegal base64 data`],
  ['what is not PEM', readRequest('not-pem'), `${PEM_ERROR}no PEM data was found in given input`],
  ['nothing', '', `${PEM_ERROR}no PEM data was found in given input`],
  ['two requests', readRequest('two-requests'), `${PEM_ERROR}more than one PEM block was found`],
  [
    'another PEM label',
    encode(pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')),
    `${PEM_ERROR}unexpected PEM block CERTIFICATE`,
  ],
  [
    'a block without end',
    encode(pem.replace(/-----END.*/, '')),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST does not end`,
  ],
  [
    'a block with headers',
    encode(pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n')),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST is encrypted: give it without a passphrase`,
  ],
  [
    'PEM above the limit',
    encode(pem.padEnd(36_501)),
    `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`,
  ],
  [
    'more base64 than twice that, though white space alone',
    readRequest('p256').padEnd(73_001),
    `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`,
  ],
  ['a huge text', 'A'.repeat(1_000_000), `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`],
  [
    'a block with text behind its end',
    encode(`${pem.trimEnd()}x\n`),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST is followed by other text in its last line: put a line break behind its -----END CERTIFICATE REQUEST-----`,
  ],
  [
    'a subject that is not text',
    withParts({ subject: sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.45'), encodeBitString(Buffer.of(1))))) }),
    `${DER_ERROR}subject: attribute 2.5.4.45 has the ASN.1 type 0x03, which the API server does not read in a certificate: write it as a UTF8String, or leave it out`,
  ],
  [
    'a key with bytes behind it',
    withParts({ spki: withBytesBehind(parse(readRequest('rsa2048')).spki) }),
    `${DER_ERROR}the RSA public key is not a modulus and an exponent and nothing else: make the key and the request anew`,
  ],
  ['a signature that ends in seven bits', withParts({ unusedBits: 1 }), `${DER_ERROR}signature is not a row of octets`],
  ['bytes after the request', wrap(Buffer.concat([der, Buffer.of(0)])), `${DER_ERROR}malformed DER: trailing data`],
  ['an empty block', wrap(Buffer.alloc(0)), `${DER_ERROR}malformed DER: truncated element`],
  [
    'an extension twice',
    withAttributes(extensionRequest(names, names)),
    `${DER_ERROR}duplicate extension ${EXTENSION.subjectAltName}`,
  ],
  [
    'two attributes with extensions',
    withAttributes(extensionRequest(names), extensionRequest()),
    `${DER_ERROR}certificate request contains more than one extensionRequest attribute`,
  ],
  [
    'one attribute with two lists of extensions',
    withAttributes(sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(names), sequence()))),
    `${DER_ERROR}malformed DER: unexpected structure`,
  ],
  [
    'an extension with a field too many',
    withAttributes(
      extensionRequest(sequence(encodeOid('1.2.3'), encodeBoolean(true), tlv(TAG.null), encodeOctetString(der))),
    ),
    `${DER_ERROR}malformed extension`,
  ],
  [
    'bytes after the names of subjectAltName',
    withAttributes(extensionRequest(extension(EXTENSION.subjectAltName, Buffer.concat([dnsName, Buffer.of(5, 0)])))),
    `${DER_ERROR}x509: invalid subject alternative names`,
  ],
  [
    'an IP address of five octets',
    withAttributes(
      extensionRequest(extension(EXTENSION.subjectAltName, sequence(tlv(GENERAL_NAME.ipAddress, Buffer.alloc(5))))),
    ),
    `${DER_ERROR}x509: cannot parse IP address of length 5`,
  ],
  [
    'a DNS name that is not ASCII',
    withAttributes(extensionRequest(extension(EXTENSION.subjectAltName, sequence(tlv(0x82, Buffer.from('ä')))))),
    `${DER_ERROR}x509: SAN dnsName is malformed`,
  ],
  [
    'name constraints that constrain nothing',
    withAttributes(extensionRequest(extension(EXTENSION.nameConstraints, sequence()))),
    `${DER_ERROR}x509: empty name constraints extension`,
  ],
];

for (const [what, request, error] of REFUSED) {
  test(`refuses ${what}`, () => assert.equal(errorOf(parsePkcs10(request)), error));
}

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
    'an extension that says in so many words that it is not critical',
    withAttributes(
      extensionRequest(sequence(encodeOid('1.2.3'), encodeBoolean(false), encodeOctetString(Buffer.of()))),
    ),
  ],
];

for (const [what, request] of ACCEPTED) {
  test(`accepts ${what}`, () => assert.equal(parsePkcs10(request).ok, true));
}

test('a request with any of its bytes changed is read or refused, and never throws', () => {
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
        const request = parsePkcs10(wrap(cut < changed.length ? changed.subarray(0, cut) : changed));
        if (!request.ok) return assert.equal(typeof request.error, 'string');
        // The parameters of a signature algorithm do not count, but nothing that is signed may change unseen.
        const { certificationRequestInfo } = request.value;
        const isSame = base.includes(certificationRequestInfo);
        assert.ok(isSame || !hasValidSignature(request.value));
      },
    ),
    { numRuns: 1500 },
  );
});
