// Names: accepted only if Go's certificate parser accepts them, because the API server could not parse the certificate.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '@countersign/common/result.ts';
import { encodeOid, readWhole, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { checkName } from '@countersign/common/x509/distinguished-name.ts';
import { valueOf } from '../../support/pki.ts';

function check(name: Buffer): Result<true> {
  return checkName(valueOf(readWhole(name)));
}

function nameOf(tag: number, content: string | readonly number[], type = encodeOid('2.5.4.3')): Buffer {
  const value = tlv(tag, typeof content === 'string' ? Buffer.from(content) : Buffer.from(content));
  return sequence(tlv(TAG.set, sequence(type, value)));
}

const READ: readonly (readonly [what: string, name: Buffer])[] = [
  ['nothing', sequence()],
  ['a UTF8String', nameOf(0x0c, 'Jürgen 😀\0')],
  ['an empty string', nameOf(0x0c, '')],
  ['a NumericString', nameOf(0x12, '0123 456789')],
  ['a PrintableString', nameOf(0x13, "AZaz09 '()+,-./:=?")],
  ['a PrintableString with a wildcard and an ampersand, as Go does', nameOf(0x13, '*.a & b')],
  ['a T61String of any octets', nameOf(0x14, [0, 0x80, 0xff])],
  ['an IA5String', nameOf(0x16, 'a@b\x7f')],
  ['a BMPString', nameOf(0x1e, [0, 0x41, 0x20, 0xac])],
  ['a BMPString that ends in NUL', nameOf(0x1e, [0, 0x41, 0, 0])],
  ['an attribute twice', sequence(tlv(TAG.set, ...[1, 2].map(() => sequence(encodeOid('2.5.4.3'), tlv(0x0c)))))],
];

for (const [what, name] of READ) {
  test(`checkName accepts ${what}`, () => assert.deepEqual(check(name), { ok: true, value: true }));
}

const WAY_OUT = 'encode it as a UTF8String or omit it';
const noType = (tag: string) =>
  `attribute 2.5.4.3 has ASN.1 type ${tag}, which the API server cannot parse in a certificate: ${WAY_OUT}`;
const noString = (type: string) => `attribute 2.5.4.3 is not a valid ${type}: ${WAY_OUT}`;
const NO_NAME = 'not a SEQUENCE of SETs of attributes: create it with another tool, such as openssl';
const NO_OID = 'an attribute type is not a valid object identifier: use a registered one';

const REFUSED: readonly (readonly [what: string, name: Buffer, error: string])[] = [
  ['an INTEGER', nameOf(0x02, [5]), noType('0x02')],
  ['a BIT STRING', nameOf(0x03, [0, 1]), noType('0x03')],
  ['a GeneralizedTime', nameOf(0x18, '19700101000000Z'), noType('0x18')],
  ['a VisibleString', nameOf(0x1a, 'x'), noType('0x1a')],
  ['a UniversalString', nameOf(0x1c, [0, 0, 0, 0x41]), noType('0x1c')],
  ['a constructed UTF8String', nameOf(0x2c, [0x0c, 1, 0x41]), noType('0x2c')],
  ['a SEQUENCE', nameOf(0x30, [5, 0]), noType('0x30')],
  ['UTF-8 that is none', nameOf(0x0c, [0xff]), noString('UTF8String')],
  ['half a surrogate pair in UTF-8', nameOf(0x0c, [0xed, 0xa0, 0x80]), noString('UTF8String')],
  ['a letter in a NumericString', nameOf(0x12, 'a'), noString('NumericString')],
  ['an @ in a PrintableString', nameOf(0x13, 'a@b'), noString('PrintableString')],
  ['a line break in a PrintableString', nameOf(0x13, 'a\n'), noString('PrintableString')],
  ['more than seven bits in an IA5String', nameOf(0x16, [0xe9]), noString('IA5String')],
  ['half a character in a BMPString', nameOf(0x1e, [0, 0x41, 0]), noString('BMPString')],
  ['surrogates in a BMPString', nameOf(0x1e, [0xd8, 0, 0xdc, 0]), noString('BMPString')],
  ['a noncharacter in a BMPString', nameOf(0x1e, [0xff, 0xfe]), noString('BMPString')],
  ['an empty type', nameOf(0x0c, 'x', tlv(TAG.oid)), NO_OID],
  ['a truncated type', nameOf(0x0c, 'x', tlv(TAG.oid, Buffer.of(0x55, 0x84))), NO_OID],
  ['a type with a part that Go cannot hold', nameOf(0x0c, 'x', encodeOid('2.25.4294967296')), NO_OID],
  ['an attribute with three fields', sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.3'), tlv(5), tlv(5)))), NO_NAME],
  ['an empty set', sequence(tlv(TAG.set)), NO_NAME],
  ['a sequence instead of a set', sequence(sequence(sequence(encodeOid('2.5.4.3'), tlv(0x0c)))), NO_NAME],
  ['what is not DER', sequence(Buffer.of(0x31, 9)), NO_NAME],
];

for (const [what, name, error] of REFUSED) {
  test(`checkName rejects ${what}`, () => assert.deepEqual(check(name), { ok: false, error }));
}
