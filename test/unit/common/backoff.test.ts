// How long one failing thing waits: longer with each failure in a row, and shortly again after a success.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '@countersign/common/runtime/backoff.ts';

test('the wait doubles up to its limit, and begins anew after a success', () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 500, random: () => 0 });
  const waits = () => Array.from({ length: 5 }, () => backoff.next());
  assert.deepEqual([backoff.failures, waits(), backoff.failures], [0, [50, 100, 200, 250, 250], 5]);
  backoff.reset();
  assert.deepEqual([backoff.failures, waits(), backoff.failures], [0, [50, 100, 200, 250, 250], 5]);
});
