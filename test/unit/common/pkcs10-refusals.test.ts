// Rejected PKCS#10 requests: each error names the field, what is wrong with it, and what to do.

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
} from '@countersign/common/x509/der.ts';
import { EXTENSION, EXTENSION_REQUEST } from '@countersign/common/x509/oids.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { publicKeyOctets } from '@countersign/common/x509/public-key.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { encodeRequest, extension, extensionRequest } from '../../support/pkcs10-builder.ts';
import { dnsName, encode, names, parse, pemOf, withAttributes, withParts } from '../../support/pkcs10-parts.ts';
import { errorOf, valueOf } from '../../support/pki.ts';
import { readRequest } from '../../support/vectors.ts';

const pem = pemOf(readRequest('p256'));
const der = parse(readRequest('p256')).der;
const PEM_ERROR = 'error decoding certificate request PEM block: ';
const DER_ERROR = 'error parsing certificate request: ';
const NO_REQUEST = `${DER_ERROR}malformed CertificationRequest`;
const TOOL = 'create the request with another tool, such as openssl req';

/** The same RSA key with trailing data in its BIT STRING. */
function withBytesBehind(spki: Buffer): Buffer {
  const [algorithm] = valueOf(readChildren(valueOf(readWhole(spki))));
  const octets = publicKeyOctets(spki);
  assert.ok(algorithm && octets);
  return sequence(algorithm.bytes, encodeBitString(Buffer.concat([octets, Buffer.from('junk')])));
}

const REFUSED: readonly (readonly [what: string, request: string, error: string])[] = [
  [
    'text that is not base64',
    '%%%',
    `${PEM_ERROR}illegal base64 data: encode the PEM once, for example with base64 -w0`,
  ],
  [
    'base64url',
    readRequest('p256').replace(/=*$/, '_==='),
    `${PEM_ERROR}illegal base64 data: encode the PEM once, for example with base64 -w0`,
  ],
  ['text that is not PEM', readRequest('not-pem'), `${PEM_ERROR}no PEM data was found in given input`],
  ['nothing', '', `${PEM_ERROR}no PEM data was found in given input`],
  [
    'two requests',
    readRequest('two-requests'),
    `${PEM_ERROR}found more than one PEM block: create one CSR for each request`,
  ],
  [
    'another PEM label',
    encode(pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')),
    `${PEM_ERROR}unexpected PEM block CERTIFICATE: must be CERTIFICATE REQUEST`,
  ],
  [
    'a block without an END line',
    encode(pem.replace(/-----END.*/, '')),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST has no -----END line`,
  ],
  [
    'a block with headers',
    encode(pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n')),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST is encrypted: provide it unencrypted`,
  ],
  [
    'PEM above the limit',
    encode(pem.padEnd(36_501)),
    `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`,
  ],
  [
    'base64 longer than the limit, even if it is white space',
    readRequest('p256').padEnd(73_001),
    `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`,
  ],
  ['a huge text', 'A'.repeat(1_000_000), `${PEM_ERROR}provided PEM data was larger than the maximum 36500B`],
  [
    'a block with text after its end',
    encode(`${pem.trimEnd()}x\n`),
    `${PEM_ERROR}PEM block CERTIFICATE REQUEST is followed by text on the same line: add a line break after -----END CERTIFICATE REQUEST-----`,
  ],
  [
    'a subject that is not text',
    withParts({ subject: sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.45'), encodeBitString(Buffer.of(1))))) }),
    `${DER_ERROR}subject: attribute 2.5.4.45 has ASN.1 type 0x03, which the API server cannot parse in a certificate: encode it as a UTF8String or omit it`,
  ],
  [
    'a key with trailing bytes',
    withParts({ spki: withBytesBehind(parse(readRequest('rsa2048')).spki) }),
    `${DER_ERROR}malformed RSA public key: must consist of a modulus and an exponent; create a new key and request`,
  ],
  [
    'a signature that ends in seven bits',
    withParts({ unusedBits: 1 }),
    `${DER_ERROR}the signature has unused bits: ${TOOL}`,
  ],
  [
    'bytes after the request',
    encodeRequest(Buffer.concat([der, Buffer.of(0)])),
    `${NO_REQUEST} (malformed DER: trailing data): ${TOOL}`,
  ],
  [
    'a signature algorithm with a field too many',
    withParts({ algorithm: sequence(encodeOid('1.2.3'), tlv(TAG.null), tlv(TAG.null)) }),
    `${DER_ERROR}malformed signature algorithm: ${TOOL}`,
  ],
  [
    'a version that is padded',
    withParts({ version: tlv(TAG.integer, Buffer.of(0, 0)) }),
    `${DER_ERROR}the version is not an integer of at most 64 bits: ${TOOL}`,
  ],
  [
    'a subject alternative name that is not a URI',
    withAttributes(
      extensionRequest(extension(EXTENSION.subjectAltName, sequence(tlv(0x86, Buffer.from('http://a b'))))),
    ),
    `${DER_ERROR}x509: cannot parse URI "http://a b": use a URI that conforms to RFC 3986, or remove it`,
  ],
  [
    'an extensionRequest attribute with a malformed value',
    withAttributes(sequence(encodeOid(EXTENSION_REQUEST), Buffer.of(0x31, 9))),
    `${DER_ERROR}the extensionRequest attribute (1.2.840.113549.1.9.14) must have one type and one SET of values: create the request with another tool`,
  ],
  [
    'truncated attributes',
    withAttributes(Buffer.of(0x30, 9)),
    `${DER_ERROR}malformed attributes (malformed DER: length out of bounds): create the request with another tool`,
  ],
  [
    'an info with a field too many',
    encodeRequest(sequence(sequence(), sequence(), encodeBitString(der))),
    `${DER_ERROR}malformed CertificationRequestInfo (malformed DER: unexpected structure): ${TOOL}`,
  ],
  ['an empty block', encodeRequest(Buffer.alloc(0)), `${NO_REQUEST} (malformed DER: truncated element): ${TOOL}`],
  [
    'an extension twice',
    withAttributes(extensionRequest(names, names)),
    `${DER_ERROR}duplicate extension ${EXTENSION.subjectAltName}: include each extension once`,
  ],
  [
    'two attributes with extensions',
    withAttributes(extensionRequest(names), extensionRequest()),
    `${DER_ERROR}the extensionRequest attribute (1.2.840.113549.1.9.14) occurs more than once: put all extensions into one`,
  ],
  [
    'one attribute with two lists of extensions',
    withAttributes(sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(names), sequence()))),
    `${DER_ERROR}the extensionRequest attribute (1.2.840.113549.1.9.14) must hold exactly one list of extensions: put all extensions into one list`,
  ],
  [
    'an extension with a field too many',
    withAttributes(
      extensionRequest(sequence(encodeOid('1.2.3'), encodeBoolean(true), tlv(TAG.null), encodeOctetString(der))),
    ),
    `${DER_ERROR}extension 1.2.3: malformed extension: must consist of an OID, an optional BOOLEAN and an OCTET STRING`,
  ],
  [
    'bytes after the names of subjectAltName',
    withAttributes(extensionRequest(extension(EXTENSION.subjectAltName, Buffer.concat([dnsName, Buffer.of(5, 0)])))),
    `${DER_ERROR}x509: invalid subject alternative names: must be one SEQUENCE of names without trailing data`,
  ],
  [
    'an IP address of five octets',
    withAttributes(
      extensionRequest(extension(EXTENSION.subjectAltName, sequence(tlv(GENERAL_NAME.ipAddress, Buffer.alloc(5))))),
    ),
    `${DER_ERROR}x509: cannot parse IP address of length 5: use 4 octets for IPv4 or 16 for IPv6`,
  ],
  [
    'a DNS name that is not ASCII',
    withAttributes(extensionRequest(extension(EXTENSION.subjectAltName, sequence(tlv(0x82, Buffer.from('ä')))))),
    `${DER_ERROR}x509: SAN dNSName is malformed: not ASCII: encode it in Punycode`,
  ],
  [
    'name constraints that constrain nothing',
    withAttributes(extensionRequest(extension(EXTENSION.nameConstraints, sequence()))),
    `${DER_ERROR}x509: empty name constraints extension: permit or exclude a name, or omit the extension`,
  ],
];

for (const [what, request, error] of REFUSED) {
  test(`parsePkcs10 rejects ${what}`, () => assert.equal(errorOf(parsePkcs10(request)), error));
}
