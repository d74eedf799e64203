// The delays of a failing operation: longer with each consecutive failure, and short again after a success.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '@countersign/common/runtime/backoff.ts';

test('the backoff doubles up to its limit, and is reset by a success', () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 500, random: () => 0 });
  const waits = () => Array.from({ length: 5 }, () => backoff.next());
  assert.deepEqual([backoff.failures, waits(), backoff.failures], [0, [50, 100, 200, 250, 250], 5]);
  backoff.reset();
  assert.deepEqual([backoff.failures, waits(), backoff.failures], [0, [50, 100, 200, 250, 250], 5]);
});
