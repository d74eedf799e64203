// The limit on concurrent access reviews, and the order of waiting callers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Permission } from '@countersign/webhook/permission-cache.ts';
import { ReviewLimiter } from '@countersign/webhook/review-limiter.ts';

const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'ca' } as const;

function setup(atOnce: number) {
  const turns = new ReviewLimiter(atOnce);
  const asked: string[] = [];
  const pending: PromiseWithResolvers<Permission>[] = [];
  const ask = (address: string, signal = new AbortController().signal) =>
    turns.limit(undefined, { address, signal }).find(REF, {}, () => {
      asked.push(address);
      const review = Promise.withResolvers<Permission>();
      pending.push(review);
      return review.promise;
    });
  return { ask, asked, pending };
}

test('the number of reviews in flight never exceeds the limit, and each that ends starts the next', async () => {
  const { ask, asked, pending } = setup(2);
  const answers = Array.from({ length: 5 }, () => ask('10.0.0.1'));
  assert.equal(asked.length, 2);
  pending[0]?.resolve('granted');
  pending[1]?.reject(new Error('broken'));
  await assert.rejects(answers[1] ?? Promise.resolve(), /broken/);
  await nextTurn();
  assert.equal(asked.length, 4);
  for (let at = 2; at < 5; at += 1) {
    pending[at]?.resolve('missing');
    await nextTurn();
  }
  assert.deepEqual(await Promise.all([answers[0], ...answers.slice(2)]), ['granted', 'missing', 'missing', 'missing']);
});

test('an address with many waiting reviews delays another address by one review', async () => {
  const { ask, asked, pending } = setup(1);
  for (let count = 0; count < 100; count += 1) void ask('10.0.0.2');
  void ask('10.0.0.1');
  for (let at = 0; at < 2; at += 1) {
    pending[at]?.resolve('granted');
    await nextTurn();
  }
  assert.deepEqual(asked, ['10.0.0.2', '10.0.0.2', '10.0.0.1']);
});

test('a caller that closes its connection stops waiting, and its review is never sent', async () => {
  const { ask, asked, pending } = setup(1);
  const hangUp = new AbortController();
  void ask('10.0.0.1');
  const second = ask('10.0.0.1', hangUp.signal);
  void ask('10.0.0.3');
  hangUp.abort();
  await assert.rejects(second, /closed the connection/);
  await assert.rejects(ask('10.0.0.1', hangUp.signal), /closed the connection/);
  pending[0]?.resolve('granted');
  await nextTurn();
  assert.deepEqual(asked, ['10.0.0.1', '10.0.0.3']);
});
