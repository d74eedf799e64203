// DER: encoding round-trips, and everything but the one encoding of a value is rejected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeBoolean,
  decodeOid,
  decodeUnsigned,
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  readChildren,
  readFields,
  readTlv,
  readWhole,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { decodeTime, encodeTime } from '@countersign/common/x509/der-time.ts';
import { decodeNamedBits, encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import * as fc from 'fast-check';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

test('an encoded element is decoded again', () => {
  const sizes = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 70_000));
  fc.assert(
    fc.property(sizes, fc.nat(255), (size, fill) => {
      const content = Buffer.alloc(size, fill);
      const read = readWhole(tlv(TAG.octetString, content));
      assert.ok(read.ok && read.value.tag === TAG.octetString && read.value.value.equals(content));
    }),
  );
});

test('a sequence of encoded elements is decoded again', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), contents => {
      const children = contents.map(content => encodeOctetString(Buffer.from(content)));
      const whole = readWhole(sequence(...children));
      const read = whole.ok ? readChildren(whole.value) : whole;
      assert.ok(read.ok);
      assert.deepEqual(
        read.value.map(({ bytes }) => bytes),
        children,
      );
    }),
  );
});

test('random bytes are decoded or rejected, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(70), (bytes, offset) => {
      const buffer = Buffer.from(bytes);
      const element = readTlv(buffer, offset);
      if (element.ok) readChildren(element.value);
      decodeOid(buffer);
      decodeNamedBits(buffer);
      decodeBoolean(buffer);
      decodeTime({ tag: TAG.utcTime, value: buffer, bytes: buffer });
    }),
    { numRuns: 1000 },
  );
});

const MALFORMED: readonly (readonly [why: string, der: string])[] = [
  ['nothing at all', ''],
  ['a tag alone', '30'],
  ['a length beyond the end', '04 02 00'],
  ['a long length beyond the end', '04 81 80 00'],
  ['a length of lengths beyond the end', '04 84 00'],
  ['an indefinite length', '30 80 00 00'],
  ['a long form for a short length', '04 81 01 00'],
  ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`],
  ['a length of more than four octets', '04 85 00 00 00 00 01 00'],
  ['a tag of more than one octet', '1f 01 00'],
  ["the end of BER's contents", '00 00'],
  ['trailing data', '05 00 00'],
];

for (const [why, der] of MALFORMED) {
  test(`the decoder rejects ${why}`, () => {
    const read = readWhole(hex(der));
    assert.ok(!read.ok && read.error.startsWith('malformed DER: '));
  });
}

test('a structure is decoded only if it has exactly the expected fields', () => {
  const number = encodeInteger(Buffer.of(1));
  const text = encodeOctetString(Buffer.from('x'));
  const isRead = (der: Buffer, tags: readonly number[]) => {
    const whole = readWhole(der);
    return whole.ok && readFields(whole.value, TAG.sequence, tags).ok;
  };
  assert.equal(isRead(sequence(number, text), [TAG.integer, TAG.octetString]), true);
  assert.equal(isRead(sequence(number, text), [TAG.integer, TAG.any]), true);
  assert.equal(isRead(sequence(number, text), [TAG.octetString, TAG.integer]), false);
  assert.equal(isRead(sequence(number, text), [TAG.integer]), false);
  assert.equal(isRead(sequence(number), [TAG.integer, TAG.any]), false);
  assert.equal(isRead(tlv(TAG.set, number), [TAG.integer]), false);
});

const INTEGERS: readonly (readonly [magnitude: string, der: string])[] = [
  ['', '02 01 00'],
  ['00', '02 01 00'],
  ['7f', '02 01 7f'],
  ['80', '02 02 00 80'],
  ['00 00 80', '02 02 00 80'],
  ['00 01', '02 01 01'],
];

for (const [magnitude, der] of INTEGERS) {
  test(`the encoder writes the integer with the octets "${magnitude}" in the fewest octets that keep it positive`, () => {
    assert.deepEqual(encodeInteger(hex(magnitude)), hex(der));
  });
}

const UNSIGNED: readonly (readonly [content: string, magnitude: string])[] = [
  ['00', ''],
  ['01', '01'],
  ['7f ff', '7f ff'],
  ['00 80', '80'],
  ['00 ff 00', 'ff 00'],
];

for (const [content, magnitude] of UNSIGNED) {
  test(`the decoder reads the integer with the content "${content}"`, () => {
    assert.deepEqual(decodeUnsigned(hex(content)), { ok: true, value: hex(magnitude) });
  });
}

for (const content of ['', '80', 'ff 01', '00 7f', '00 00']) {
  test(`the decoder rejects "${content}" as a non-negative integer`, () =>
    assert.equal(decodeUnsigned(hex(content)).ok, false));
}

const OIDS: readonly (readonly [dotted: string, der: string])[] = [
  ['2.5.29.17', '06 03 55 1d 11'],
  ['1.2.840.113549.1.1.11', '06 09 2a 86 48 86 f7 0d 01 01 0b'],
  ['2.999.3', '06 03 88 37 03'],
  ['0.39', '06 01 27'],
  ['2.5.127.128.16383.16384.2147483647', '06 0e 55 7f 81 00 ff 7f 81 80 00 87 ff ff ff 7f'],
];

for (const [dotted, der] of OIDS) {
  test(`the object identifier ${dotted} round-trips`, () => {
    assert.deepEqual(encodeOid(dotted), hex(der));
    assert.deepEqual(decodeOid(hex(der).subarray(2)), { ok: true, value: dotted });
  });
}

test('any object identifier round-trips', () => {
  const arcs = fc.array(fc.nat(2 ** 31 - 1), { maxLength: 12 });
  fc.assert(
    fc.property(fc.nat(2), fc.nat(39), arcs, (first, second, rest) => {
      const dotted = [first, second, ...rest].join('.');
      const whole = readWhole(encodeOid(dotted));
      assert.deepEqual(whole.ok && decodeOid(whole.value.value), { ok: true, value: dotted });
    }),
  );
});

for (const value of ['', '80 01', '2a 80 01', '2a 86', '2a 88 80 80 80 00']) {
  test(`the decoder rejects "${value}" as an object identifier`, () => assert.equal(decodeOid(hex(value)).ok, false));
}

const NAMED_BITS: readonly (readonly [mask: number, der: string])[] = [
  [0, '03 01 00'],
  [0b1, '03 02 07 80'],
  [0b101, '03 02 05 a0'],
  [0b1100000, '03 02 01 06'],
  [0b10000000, '03 02 00 01'],
  [0b100000000, '03 03 07 00 80'],
  [0b111111111, '03 03 07 ff 80'],
];

for (const [mask, der] of NAMED_BITS) {
  test(`the named bits ${mask.toString(2)} round-trip without trailing zeros`, () => {
    assert.deepEqual(encodeNamedBits(mask), hex(der));
    assert.deepEqual(decodeNamedBits(hex(der).subarray(2)), { ok: true, value: mask });
  });
}

for (const value of ['', '01', '08 80', '08 00', '07 81', '01 00 00 00 01']) {
  test(`the decoder rejects "${value}" as named bits`, () => assert.equal(decodeNamedBits(hex(value)).ok, false));
}

for (const [value, mask] of [
  ['00 a0 00 00', 0b101],
  ['00 a0 00 00 00', 0b101],
  ['07 00 00 00 00 00 80', 0],
  ['00 00 80 00 02 ff ff', (1 << 8) | (1 << 30)],
] as const) {
  test(`the decoder reads "${value}" as the named bits ${mask.toString(2)} and ignores further bits`, () =>
    assert.deepEqual(decodeNamedBits(hex(value)), { ok: true, value: mask }));
}

test('a BOOLEAN has two encodings', () => {
  assert.deepEqual(encodeBoolean(true), hex('01 01 ff'));
  assert.deepEqual(decodeBoolean(hex('ff')), { ok: true, value: true });
  assert.deepEqual(decodeBoolean(hex('00')), { ok: true, value: false });
  for (const value of ['', '01', 'ff ff']) assert.equal(decodeBoolean(hex(value)).ok, false);
});

test('the encoder writes a bit string of whole octets', () =>
  assert.deepEqual(encodeBitString(hex('ab')), hex('03 02 00 ab')));

const TIMES: readonly (readonly [time: string, tag: number, text: string])[] = [
  ['1949-12-31T23:59:59Z', TAG.generalizedTime, '19491231235959Z'],
  ['1950-01-01T00:00:00Z', TAG.utcTime, '500101000000Z'],
  ['2026-11-24T01:02:03.999Z', TAG.utcTime, '261124010203Z'],
  ['2049-12-31T23:59:59Z', TAG.utcTime, '491231235959Z'],
  ['2050-01-01T00:00:00Z', TAG.generalizedTime, '20500101000000Z'],
];

for (const [time, tag, text] of TIMES) {
  test(`the time ${time} round-trips as ${text}`, () => {
    const der = encodeTime(new Date(time));
    assert.deepEqual(der, tlv(tag, Buffer.from(text)));
    const element = readWhole(der);
    const read = element.ok && decodeTime(element.value);
    assert.deepEqual(read, { ok: true, value: new Date(time.replace(/\.\d+/, '')) });
  });
}

const NO_TIMES: readonly (readonly [tag: number, text: string])[] = [
  [TAG.utcTime, '260231000000Z'],
  [TAG.utcTime, '2611240102Z'],
  [TAG.utcTime, '261124010203+0000'],
  [TAG.generalizedTime, '20261124010203Z'],
  [TAG.generalizedTime, '20501124010203.5Z'],
  [TAG.octetString, '20500101000000Z'],
];

for (const [tag, text] of NO_TIMES) {
  test(`the decoder rejects ${text} with the tag ${tag} as a time`, () => {
    const element = readWhole(tlv(tag, Buffer.from(text)));
    assert.equal(element.ok && decodeTime(element.value).ok, false);
  });
}
