// How workers are divided between tenants.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairShares } from '@countersign/common/runtime/controller/fair-shares.ts';

/** Returns how many workers each share gets if all shares take as many as they can in turn. */
function fill(workers: number, names: readonly string[]): number[] {
  const shares = new FairShares(() => 0);
  const taken = new Map(names.map(name => [name, 0]));
  for (let turn = 0; turn < 100; turn += 1) {
    for (const name of names.filter(each => shares.mayHaveMore(each, workers))) {
      shares.take(name);
      taken.set(name, (taken.get(name) ?? 0) + 1);
    }
  }
  return [...taken.values()];
}

for (const [workers, names, expected] of [
  [32, ['a'], [24]],
  [32, ['a', 'b'], [4, 4]],
  [32, ['a', 'b', 'c', 'd', 'e'], [4, 4, 4, 4, 4]],
  [4, ['a'], [3]],
  [2, ['a'], [2]],
  [1, ['a'], [1]],
] as const) {
  test(`${names.length} shares of ${workers} workers get ${expected.join(' and ')}`, () =>
    assert.deepEqual(fill(workers, names), [...expected]));
}

test('a released worker is available to a new share', () => {
  const shares = new FairShares(() => 0);
  for (const _ of [1, 2]) shares.take('a');
  assert.equal(shares.mayHaveMore('b', 2), false);
  shares.give('a');
  assert.equal(shares.mayHaveMore('b', 2), true);
});

test('a share may use more workers a second after another share last took one', () => {
  let now = 0;
  const shares = new FairShares(() => now);
  for (let turn = 0; turn < 8; turn += 1) shares.take('a');
  shares.take('b');
  assert.equal(shares.mayHaveMore('a', 32), false);
  shares.give('b');
  now = 999;
  assert.equal(shares.mayHaveMore('a', 32), false);
  now = 1_000;
  assert.equal(shares.mayHaveMore('a', 32), true);
});
