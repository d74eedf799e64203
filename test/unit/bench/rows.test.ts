// Rows of the benchmark's results: whether a target is met, the spread, and how the page shows them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderFigures } from '../../../tools/docs/generate-benchmark.ts';
import { atLeast, atMost, inEveryRun, NO_TARGET, row } from '../../bench/row.ts';

describe('a row of the benchmark', () => {
  test('compares the medians, and has the ratios of the runs as its spread', () => {
    const { ours, theirs, ratio, lowest, highest } = row('x', [30, 10, 20], [10, 10, 5], NO_TARGET);
    assert.deepEqual([ours, theirs, ratio, lowest, highest], [20, 10, 2, 1, 4]);
  });

  for (const [target, values, met] of [
    [atLeast(2), [20, 19, 30], true],
    [atLeast(2), [19, 19, 30], false],
    [atMost(2), [20, 21, 3], true],
    [atMost(2), [21, 21, 3], false],
    [inEveryRun(atLeast(2)), [20, 19, 30], false],
    [inEveryRun(atLeast(2)), [20, 20, 30], true],
    [NO_TARGET, [1, 1, 1], null],
  ] as const) {
    test(`with ${values.join(', ')} against 10 and the target ${JSON.stringify(target)} has met: ${met}`, () => {
      assert.equal(row('x', values, [10, 10, 10], target).met, met);
    });
  }
});

test('the page shows each row, its spread, a missed target, and what a certificate costs', () => {
  const rows = [
    row('rate', [2_000, 1_000, 3_000], [1_000, 1_000, 1_000], atLeast(3)),
    row('memory', [1], [2], atMost(1)),
  ];
  const costs = [{ path: 'CSR', reads: 0.01, writes: 2, reviews: 1 }];
  const text = renderFigures({ drain: { runs: 3, rows, costs } });
  assert.match(text, /^1 of 2 targets are met\.\n\n\|/);
  assert.match(text, /\| rate \| 2 000 \| 1 000 \| 2\.00 \| 1\.00-3\.00 \| ≥ 3, missed \|\n/);
  assert.match(text, /\| memory \| 1 \| 2 \| 0\.50 \|  \| ≤ 1 \|\n/);
  assert.match(text, /\| CSR \| 2 \| 0\.01 \| 1 \|\n$/);
});
