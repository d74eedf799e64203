// Round-robin between tenants: order, removal, and cost independent of length.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '@countersign/common/runtime/controller/fair-queue.ts';
import { cpuMs } from '../../support/cpu-time.ts';

function create(...keys: string[]): FairQueue {
  const line = new FairQueue();
  for (const key of keys) line.add({ key, share: key[0] ?? '', addedAt: 0 });
  return line;
}

function takeAll(line: FairQueue, mayHaveMore: (share: string) => boolean = () => true): string[] {
  const keys: string[] = [];
  for (let next = line.take(mayHaveMore); next !== undefined; next = line.take(mayHaveMore)) keys.push(next.key);
  return keys;
}

test('shares take turns, and the keys of one share are taken in order of arrival', () =>
  assert.deepEqual(takeAll(create('a1', 'a2', 'a3', 'b1', 'c1', 'b2')), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']));

test('a removed or re-added key is not taken twice', () => {
  const line = create('a1', 'a2', 'b1', 'a1');
  line.delete('b1');
  assert.equal(line.size, 2);
  assert.deepEqual(takeAll(line), ['a2', 'a1']);
  assert.equal(line.size, 0);
});

test('a share at its limit keeps its keys and does not block other shares', () => {
  const line = create('a1', 'b1', 'a2', 'b2');
  assert.deepEqual(
    takeAll(line, share => share === 'b'),
    ['b1', 'b2'],
  );
  assert.deepEqual(takeAll(line), ['a1', 'a2']);
});

test('keys added after the queue was drained are taken, and cleared keys are not', () => {
  const line = create('a1');
  takeAll(line);
  line.add({ key: 'a2', share: 'a', addedAt: 0 });
  assert.deepEqual(takeAll(line), ['a2']);
  line.add({ key: 'a3', share: 'a', addedAt: 0 });
  line.clear();
  assert.deepEqual([line.size, takeAll(line)], [0, []]);
});

/** Returns the milliseconds to take `turns` keys from a much longer queue. */
function timeOf(length: number, turns: number): number {
  const line = create(...Array.from({ length }, (_, at) => `a${at}`));
  const begin = cpuMs();
  for (let turn = 0; turn < turns; turn += 1) line.take(() => true);
  return cpuMs() - begin;
}

test('taking a key from a queue of 100 000 is as fast as from a short one', () => {
  const [short, long] = [timeOf(10_000, 10_000), timeOf(100_000, 50_000) / 5].map(ms => ms + 1) as [number, number];
  // It took 10 to 20 times as long when each take skipped the keys taken before it.
  assert.ok(long < short * 5, `${long} ms for 10 000 keys of a long queue, ${short} ms of a short one`);
});
