// What a row of the benchmark is made of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from '../../bench/sides.ts';

test('the median is the middle value, by size', () => {
  assert.equal(median([{ rate: 9 }, { rate: 100 }, { rate: 10 }], 'rate'), 10);
});

test('an even number of runs has no median', () => {
  assert.throws(() => median([{ rate: 1 }, { rate: 2 }], 'rate'), /2 runs have no middle one/);
});

test('a figure that one run lacks is an error, not a number', () => {
  assert.throws(() => median([{ rate: 1 }, {}, { rate: 3 }], 'rate'), /no figure rate in \{\}/);
});
