// How long permissions are cached, and what is never cached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Requester } from '@countersign/common/csr.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type Permission, PermissionCache } from '@countersign/webhook/permission-cache.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const JANE: Requester = { username: 'jane', groups: ['system:authenticated'] };

/** Counts the reviews; the clock stands still until the test sets it. */
function setup(ttlMs: number, answer: Permission = 'granted') {
  const state = { now: 0, asked: 0, answer };
  const cache = new PermissionCache(ttlMs, () => state.now);
  const ask = async () => {
    state.asked += 1;
    return state.answer;
  };
  return { state, find: (ref = REF, requester = JANE) => cache.find(ref, requester, ask), cache };
}

test('a granted permission is cached for the TTL, counted from when the review was sent', async () => {
  const { state, find } = setup(1_000);
  for (const now of [0, 500, 999]) {
    state.now = now;
    assert.equal(await find(), 'granted');
  }
  assert.equal(state.asked, 1);
  state.now = 1_000;
  state.answer = 'missing';
  assert.equal(await find(), 'missing');
});

test('a missing permission is reviewed again each time', async () => {
  const { state, find } = setup(1_000, 'missing');
  assert.equal(await find(), 'missing');
  state.answer = 'granted';
  assert.equal(await find(), 'granted');
});

test('a cached permission does not apply to another requester, other groups, or another issuer', async () => {
  const { state, find } = setup(1_000);
  await find();
  state.answer = 'missing';
  assert.equal(await find(REF, { ...JANE, username: 'joe' }), 'missing');
  assert.equal(await find(REF, { ...JANE, groups: [] }), 'missing');
  assert.equal(await find(REF, { ...JANE, uid: '1' }), 'missing');
  assert.equal(await find(REF, { ...JANE, extra: { scopes: ['all'] } }), 'missing');
  assert.equal(await find({ ...REF, name: 'other' }), 'missing');
  assert.equal(await find({ ...REF, namespace: 'other' }), 'missing');
});

test('concurrent equal reviews share a positive result, but each caller repeats a negative one', async () => {
  const { state, find } = setup(1_000);
  assert.deepEqual(await Promise.all([find(), find(), find()]), ['granted', 'granted', 'granted']);
  assert.equal(state.asked, 1);
  state.now = 2_000;
  state.answer = 'missing';
  await Promise.all([find(), find(), find()]);
  assert.equal(state.asked, 4);
});

test('a TTL of 0 disables caching and sharing', async () => {
  const { state, find } = setup(0);
  await Promise.all([find(), find()]);
  await find();
  assert.equal(state.asked, 3);
});

test('a failed review is not cached', async () => {
  const { cache, find } = setup(1_000);
  await assert.rejects(
    cache.find(REF, JANE, () => Promise.reject(new Error('no answer'))),
    /no answer/,
  );
  assert.equal(await find(), 'granted');
});

/** The test resolves each review itself, in the order in which they were sent. */
function setupGates() {
  const state = { now: 0 };
  const cache = new PermissionCache(1_000, () => state.now);
  const gates: PromiseWithResolvers<Permission>[] = [];
  const ask = () => {
    const gate = Promise.withResolvers<Permission>();
    gates.push(gate);
    return gate.promise;
  };
  return { state, gates, find: () => cache.find(REF, JANE, ask) };
}

test('a review that has been pending for longer than the TTL is not joined, and its late result is not cached', async () => {
  const { state, gates, find } = setupGates();
  const first = find();
  state.now = 999;
  const joined = find();
  state.now = 1_000;
  const second = find();
  assert.equal(gates.length, 2);
  gates[0]?.resolve('granted');
  assert.deepEqual(await Promise.all([first, joined]), ['granted', 'granted']);
  const third = find();
  assert.equal(gates.length, 2, 'the second review can still be joined');
  gates[1]?.resolve('missing');
  assert.equal(await second, 'missing');
  await nextTurn();
  gates[2]?.resolve('missing');
  assert.equal(await third, 'missing');
});

test('callers that joined a review with a negative result each send their own at once', async () => {
  const { gates, find } = setupGates();
  const all = [find(), find(), find()];
  gates[0]?.resolve('missing');
  await nextTurn();
  assert.equal(gates.length, 3);
  for (const gate of gates) gate.resolve('granted');
  assert.deepEqual(await Promise.all(all), ['missing', 'granted', 'granted']);
});

test('a failure is returned only to the first caller; later callers share one more review', async () => {
  const { state, gates, find } = setupGates();
  const first = find();
  state.now = 100;
  const others = [find(), find(), find()];
  gates[0]?.reject(new Error('no answer'));
  await assert.rejects(first, /no answer/);
  await nextTurn();
  assert.equal(gates.length, 2);
  gates[1]?.resolve('granted');
  assert.deepEqual(await Promise.all(others), ['granted', 'granted', 'granted']);
  assert.equal(gates.length, 2);
});

test('while every review fails, no caller waits for more than two, however many callers there are', async () => {
  const { state, gates, find } = setupGates();
  const all = [find()];
  state.now = 100;
  for (let index = 0; index < 50; index += 1) all.push(find());
  const settled = Promise.allSettled(all);
  for (const round of [0, 1]) {
    gates[round]?.reject(new Error('no answer'));
    await nextTurn();
  }
  assert.ok((await settled).every(({ status }) => status === 'rejected'));
  assert.equal(gates.length, 2);
});

test('the cache has a maximum size, and the next call evicts expired entries', async () => {
  const { state, cache, find } = setup(1_000);
  for (let user = 0; user < 12_000; user += 1) await find(REF, { ...JANE, username: `${user}` });
  assert.equal(cache.size, 10_000);
  await find(REF, { ...JANE, username: '11999' });
  assert.equal(state.asked, 12_000);
  state.now = 1_000;
  state.answer = 'missing';
  await find();
  assert.equal(cache.size, 0);
});
