// Which extensions are accepted and which are rejected; and that encoding round-trips.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  encodeBoolean,
  encodeOctetString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { type ExplicitFalse, encodeExtension, parseExtensions } from '@countersign/common/x509/extension.ts';
import { errorOf, valueOf } from '../../support/pki.ts';

const NO_FORM = 'malformed extension: must consist of an OID, an optional BOOLEAN and an OCTET STRING';
const NAMED = `extension 1.2.3: ${NO_FORM}`;
const oid = encodeOid('1.2.3');
const value = Buffer.from('value');
const octets = encodeOctetString(value);

function parse(writtenFalse: ExplicitFalse, ...extensions: readonly Buffer[]) {
  return parseExtensions(valueOf(readChildren(valueOf(readWhole(sequence(...extensions))))), writtenFalse);
}

describe('an extension', () => {
  for (const critical of [true, false]) {
    it(`an extension round-trips, ${critical ? 'critical' : 'not critical'}`, () => {
      const extension = { oid: '1.2.3', critical, value };
      assert.deepEqual(valueOf(parse('reject', encodeExtension(extension))), [extension]);
    });
  }

  it('an extension may have an explicit critical flag of FALSE unless that is rejected', () => {
    const extension = sequence(oid, encodeBoolean(false), octets);
    assert.deepEqual(valueOf(parse('accept', extension)), [{ oid: '1.2.3', critical: false, value }]);
    assert.equal(
      errorOf(parse('reject', extension)),
      'extension 1.2.3: malformed extension: DER omits a critical flag that is FALSE',
    );
  });

  for (const [what, extension, error] of [
    ['is a SET', tlv(TAG.set, oid, octets), NO_FORM],
    ['is empty', sequence(), NO_FORM],
    ['has no OBJECT IDENTIFIER for its type', sequence(tlv(TAG.null), octets), NO_FORM],
    ['has no OCTET STRING for its value', sequence(oid, tlv(TAG.bitString, value)), NAMED],
    ['has a field too many', sequence(oid, encodeBoolean(true), tlv(TAG.null), octets), NAMED],
    ['is critical by another type than BOOLEAN', sequence(oid, tlv(TAG.integer, Buffer.of(255)), octets), NAMED],
    ['is critical by 1', sequence(oid, tlv(TAG.boolean, Buffer.of(1)), octets), NAMED],
    [
      'has a truncated type',
      sequence(tlv(TAG.oid, Buffer.of(0x80)), octets),
      'malformed extension: invalid object identifier; use a registered one',
    ],
    ['has truncated content', tlv(TAG.sequence, Buffer.of(6, 9)), NO_FORM],
  ] as const) {
    it(`an extension is rejected if it ${what}`, () => assert.equal(errorOf(parse('accept', extension)), error));
  }

  it('an extension is rejected if it occurs twice', () => {
    const extension = encodeExtension({ oid: '1.2.3', critical: false, value });
    assert.equal(
      errorOf(parse('accept', extension, extension)),
      'duplicate extension 1.2.3: include each extension once',
    );
  });
});
