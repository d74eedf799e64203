// Messages read by tables of fields: what is read late, and what is remembered from one field to the next.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { time } from '@countersign/common/runtime/kube-protobuf.ts';
import { ProtobufError, ProtobufReader } from '@countersign/common/runtime/protobuf.ts';
import { lazyMessage, readMessage, text } from '@countersign/common/runtime/protobuf-message.ts';
import { field, message } from '../../support/protobuf-writer.ts';

const LAZY = { 1: text('name'), 2: lazyMessage('spec', { 1: text('user') }) };

test('a lazy message is the same as any other to whoever looks at it, each time', () => {
  const read = readMessage(new ProtobufReader(message([1, 'a'], [2, field(1, 'Ann')])), LAZY);
  assert.deepEqual(read, { name: 'a', spec: { user: 'Ann' } });
  assert.equal(read['spec'], read['spec']);
});

test('a lazy message that cannot be read is an error only to whoever looks at it', () => {
  const read = readMessage(new ProtobufReader(message([2, Buffer.of(0x0a, 5, 1)], [1, 'a'])), LAZY);
  assert.equal(read['name'], 'a');
  assert.throws(() => read['spec'], ProtobufError);
});

test('times one after the other, the same and others', () => {
  const fields = { 1: time('first'), 2: time('second'), 3: time('third'), 4: time('none') };
  const bytes = message([1, field(1, 60)], [2, field(1, 60)], [3, field(1, 0)], [4, Buffer.alloc(0)]);
  const [first, third] = ['1970-01-01T00:01:00Z', '1970-01-01T00:00:00Z'];
  for (let round = 0; round < 2; round += 1)
    assert.deepEqual(readMessage(new ProtobufReader(bytes), fields), { first, second: first, third });
});
