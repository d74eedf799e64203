// The protobuf reader: every kind of value, skipped unknown fields, and an error for truncated or invalid input.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtobufError, ProtobufReader } from '@countersign/common/runtime/kube/protobuf/protobuf.ts';
import { field, message, varint } from '../../support/protobuf-writer.ts';

/** Skips every field, messages in field 9 included. */
function walk(reader: ProtobufReader): number {
  let count = 0;
  for (let number = reader.next(); number !== 0; number = reader.next(), count += 1) {
    if (number === 9) count += walk(reader.message());
    else reader.skip();
  }
  return count;
}

describe('values', () => {
  const numbers = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1];
  for (const number of numbers) {
    test(`the reader decodes the integer ${number}`, () => {
      const reader = new ProtobufReader(field(1, number));
      assert.deepEqual([reader.next(), reader.int64(), reader.next()], [1, number, 0]);
    });
  }

  test('the reader decodes negative integers, and the last 32 bits of longer ones', () => {
    const minusTwo = Buffer.from('08feffffffffffffffff01', 'hex');
    const read = (bytes: Buffer, kind: 'int32' | 'int64') => {
      const reader = new ProtobufReader(bytes);
      reader.next();
      return reader[kind]();
    };
    assert.deepEqual([read(minusTwo, 'int32'), read(minusTwo, 'int64')], [-2, -2]);
    assert.deepEqual([read(field(1, 2 ** 32 + 5), 'int32'), read(field(1, 2 ** 31), 'int32')], [5, -(2 ** 31)]);
  });

  test('the reader decodes text, bytes, messages and large field numbers', () => {
    const reader = new ProtobufReader(message([1, 'grüße'], [2, Buffer.of(0xff, 0)], [1000, message([3, 7])]));
    assert.deepEqual([reader.next(), reader.string()], [1, 'grüße']);
    assert.deepEqual([reader.next(), reader.base64()], [2, '/wA=']);
    assert.equal(reader.next(), 1000);
    const inner = reader.message();
    assert.deepEqual([inner.next(), inner.int64(), inner.next(), reader.next()], [3, 7, 0, 0]);
  });

  test('the reader skips fields of every wire type', () => {
    const fixed = Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4]);
    assert.equal(walk(new ProtobufReader(Buffer.concat([fixed, message([3, 5], [4, 'x'], [9, field(1, 'y')])]))), 6);
  });
});

describe('invalid protobuf', () => {
  const broken: readonly (readonly [string, Buffer])[] = [
    ['an unterminated varint', Buffer.alloc(11, 0xff)],
    ['a truncated varint', Buffer.of(0x08, 0x80)],
    ['a length past the end', Buffer.of(0x0a, 5, 1)],
    ['a length beyond all buffers', Buffer.concat([Buffer.of(0x0a), varint(2 ** 52)])],
    ['truncated eight octets', Buffer.of(0x09, 1, 2)],
    ['a group', Buffer.of(0x0b)],
    ['field number 0', Buffer.of(0x02, 0)],
    ['a field number of 30 bits', Buffer.concat([varint(2 ** 29 * 8), Buffer.of(0)])],
    ['a message longer than its parent', Buffer.of(0x4a, 2, 0x0a, 3, 1, 1, 1)],
  ];
  for (const [name, bytes] of broken) {
    test(`${name} is an error`, () => assert.throws(() => walk(new ProtobufReader(bytes)), ProtobufError));
  }

  test('a value read as another type than it has is an error', () => {
    const reader = new ProtobufReader(field(1, 5));
    reader.next();
    assert.throws(() => reader.string(), /unexpected wire type 0, want 2/);
  });

  test('a truncated message is an error or ends early, and never hangs', () => {
    const whole = message([1, 'text'], [2, 300], [9, message([1, 'inner'], [9, field(1, 1)])]);
    for (let length = 0; length < whole.length; length += 1) {
      try {
        walk(new ProtobufReader(whole.subarray(0, length)));
      } catch (error) {
        assert.ok(error instanceof ProtobufError);
      }
    }
  });
});
