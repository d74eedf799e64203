// How many workers each tenant may have while others have some.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairShares } from '@countersign/signer/fair-shares.ts';

/** How many workers each share gets that would take all, one after the other. */
function fill(shares: FairShares, names: readonly string[]): number[] {
  const taken = new Map(names.map(name => [name, 0]));
  for (let turn = 0; turn < 100; turn += 1) {
    for (const name of names.filter(each => shares.mayHaveMore(each))) {
      shares.take(name);
      taken.set(name, (taken.get(name) ?? 0) + 1);
    }
  }
  return [...taken.values()];
}

for (const [workers, names, expected] of [
  [32, ['a'], [24]],
  [32, ['a', 'b'], [14, 14]],
  [32, ['a', 'b', 'c'], [10, 10, 10]],
  [4, ['a'], [3]],
  [2, ['a'], [2]],
  [1, ['a'], [1]],
] as const) {
  test(`of ${workers} workers, ${names.length} shares get ${expected.join(' and ')}`, () =>
    assert.deepEqual(fill(new FairShares(workers), names), [...expected]));
}

test('a worker that is given back is free for a newcomer', () => {
  const shares = new FairShares(2);
  for (const _ of [1, 2]) shares.take('a');
  assert.equal(shares.mayHaveMore('b'), false);
  shares.give('a');
  assert.equal(shares.mayHaveMore('b'), true);
});
