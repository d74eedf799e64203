// How the benchmark computes medians.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from '../../bench/sides.ts';

test('the median is the middle value in numeric order', () => {
  assert.equal(median([{ rate: 9 }, { rate: 100 }, { rate: 10 }], 'rate'), 10);
});

test('an even number of runs is rejected because it has no middle value', () => {
  assert.throws(() => median([{ rate: 1 }, { rate: 2 }], 'rate'), /the median needs an odd number of runs, got 2/);
});

test('a figure that is missing in one run is an error', () => {
  assert.throws(() => median([{ rate: 1 }, {}, { rate: 3 }], 'rate'), /figure rate is missing in \{\}/);
});
