// Messages decoded by tables of fields: lazy decoding, and state between fields.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { time } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import { ProtobufError, ProtobufReader } from '@countersign/common/runtime/kube/protobuf/protobuf.ts';
import {
  base64,
  lazyMessage,
  map,
  message as messageField,
  readMessage,
  requiredText,
  text,
} from '@countersign/common/runtime/kube/protobuf/protobuf-message.ts';
import { field, message } from '../../support/protobuf-writer.ts';

const LAZY = { 1: text('name'), 2: lazyMessage('spec', { 1: text('user') }) };

test('a lazy message reads like any other, each time', () => {
  const read = readMessage(new ProtobufReader(message([1, 'a'], [2, field(1, 'Ann')])), LAZY);
  assert.deepEqual(read, { name: 'a', spec: { user: 'Ann' } });
  assert.equal(read['spec'], read['spec']);
});

test('a lazy message that is malformed throws only on access', () => {
  const read = readMessage(new ProtobufReader(message([2, Buffer.of(0x0a, 5, 1)], [1, 'a'])), LAZY);
  assert.equal(read['name'], 'a');
  assert.throws(() => read['spec'], ProtobufError);
});

test('consecutive times are decoded, equal or not', () => {
  const fields = { 1: time('first'), 2: time('second'), 3: time('third'), 4: time('none') };
  const bytes = message([1, field(1, 60)], [2, field(1, 60)], [3, field(1, 0)], [4, Buffer.alloc(0)]);
  const [first, third] = ['1970-01-01T00:01:00Z', '1970-01-01T00:00:00Z'];
  for (let round = 0; round < 2; round += 1)
    assert.deepEqual(readMessage(new ProtobufReader(bytes), fields), { first, second: first, third });
});

test('the last of duplicate fields counts, even if empty, and messages are merged', () => {
  const inner = { 1: text('a'), 2: base64('b') };
  const fields = { 1: messageField('eager', inner), 2: lazyMessage('lazy', inner), 3: time('at') };
  const first = message([1, 'x'], [2, Buffer.of(1)]);
  const twice = message([1, first], [1, message([1, 'y'], [2, ''])], [2, first], [2, message([1, ''])]);
  const read = readMessage(new ProtobufReader(Buffer.concat([twice, message([3, field(1, 9)], [3, ''])])), fields);
  assert.deepEqual(read, { eager: { a: 'y' }, lazy: { b: 'AQ==' } });
});

test('an entry of a map without a value has an empty one', () => {
  const fields = { 1: map('texts', requiredText, '') };
  assert.deepEqual(readMessage(new ProtobufReader(message([1, field(1, 'key')], [1, ''])), fields), {
    texts: { key: '', '': '' },
  });
});

test('a time without seconds is the start of 1970, and one after the year 9999 is an error', () => {
  const fields = { 1: time('at') };
  const read = (bytes: Buffer) => readMessage(new ProtobufReader(field(1, bytes)), fields);
  assert.deepEqual(read(field(2, 5)), { at: '1970-01-01T00:00:00Z' });
  for (const seconds of [253_402_300_800, 2 ** 62]) assert.throws(() => read(field(1, seconds)), ProtobufError);
});
