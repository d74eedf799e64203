// How long a permission is remembered, and what never is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Requester } from '@countersign/common/csr.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type Permission, PermissionCache } from '@countersign/webhook/permission-cache.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const JANE: Requester = { username: 'jane', groups: ['system:authenticated'] };

/** Counts what is asked; the clock stands still until it is set. */
function setup(ttlMs: number, answer: Permission = 'granted') {
  const world = { now: 0, asked: 0, answer };
  const cache = new PermissionCache(ttlMs, () => world.now);
  const ask = async () => {
    world.asked += 1;
    return world.answer;
  };
  return { world, find: (ref = REF, requester = JANE) => cache.find(ref, requester, ask), cache };
}

test('a yes holds until its time is over, counted from when it was asked', async () => {
  const { world, find } = setup(1_000);
  for (const now of [0, 500, 999]) {
    world.now = now;
    assert.equal(await find(), 'granted');
  }
  assert.equal(world.asked, 1);
  world.now = 1_000;
  world.answer = 'missing';
  assert.equal(await find(), 'missing');
});

test('a no is asked for anew each time', async () => {
  const { world, find } = setup(1_000, 'missing');
  assert.equal(await find(), 'missing');
  world.answer = 'granted';
  assert.equal(await find(), 'granted');
});

test('a yes to one question says nothing about another requester, one with other groups, or another issuer', async () => {
  const { world, find } = setup(1_000);
  await find();
  world.answer = 'missing';
  assert.equal(await find(REF, { ...JANE, username: 'joe' }), 'missing');
  assert.equal(await find(REF, { ...JANE, groups: [] }), 'missing');
  assert.equal(await find(REF, { ...JANE, uid: '1' }), 'missing');
  assert.equal(await find(REF, { ...JANE, extra: { scopes: ['all'] } }), 'missing');
  assert.equal(await find({ ...REF, name: 'other' }), 'missing');
  assert.equal(await find({ ...REF, namespace: 'other' }), 'missing');
});

test('equal questions at one time share a yes, but each asks for itself before it takes a no', async () => {
  const { world, find } = setup(1_000);
  assert.deepEqual(await Promise.all([find(), find(), find()]), ['granted', 'granted', 'granted']);
  assert.equal(world.asked, 1);
  world.now = 2_000;
  world.answer = 'missing';
  await Promise.all([find(), find(), find()]);
  assert.equal(world.asked, 4);
});

test('with a time of 0 nothing is remembered or shared', async () => {
  const { world, find } = setup(0);
  await Promise.all([find(), find()]);
  await find();
  assert.equal(world.asked, 3);
});

test('a question that failed is nobody’s answer afterwards', async () => {
  const { cache, find } = setup(1_000);
  await assert.rejects(
    cache.find(REF, JANE, () => Promise.reject(new Error('no answer'))),
    /no answer/,
  );
  assert.equal(await find(), 'granted');
});

/** Answers when the test says so, in the order of asking. */
function setupGates() {
  const world = { now: 0 };
  const cache = new PermissionCache(1_000, () => world.now);
  const gates: PromiseWithResolvers<Permission>[] = [];
  const ask = () => {
    const gate = Promise.withResolvers<Permission>();
    gates.push(gate);
    return gate.promise;
  };
  return { world, gates, find: () => cache.find(REF, JANE, ask) };
}

test('a question that is older than a yes may be is not joined, and its late yes is not remembered', async () => {
  const { world, gates, find } = setupGates();
  const first = find();
  world.now = 999;
  const joined = find();
  world.now = 1_000;
  const second = find();
  assert.equal(gates.length, 2);
  gates[0]?.resolve('granted');
  assert.deepEqual(await Promise.all([first, joined]), ['granted', 'granted']);
  const third = find();
  assert.equal(gates.length, 2, 'the second question is still there to be joined');
  gates[1]?.resolve('missing');
  assert.equal(await second, 'missing');
  await nextTurn();
  gates[2]?.resolve('missing');
  assert.equal(await third, 'missing');
});

test('who has joined a question asks at once for itself when the answer is no', async () => {
  const { gates, find } = setupGates();
  const all = [find(), find(), find()];
  gates[0]?.resolve('missing');
  await nextTurn();
  assert.equal(gates.length, 3);
  for (const gate of gates) gate.resolve('granted');
  assert.deepEqual(await Promise.all(all), ['missing', 'granted', 'granted']);
});

test('a failure is told only to who asked; who came later asks once more, together', async () => {
  const { world, gates, find } = setupGates();
  const first = find();
  world.now = 100;
  const others = [find(), find(), find()];
  gates[0]?.reject(new Error('no answer'));
  await assert.rejects(first, /no answer/);
  await nextTurn();
  assert.equal(gates.length, 2);
  gates[1]?.resolve('granted');
  assert.deepEqual(await Promise.all(others), ['granted', 'granted', 'granted']);
  assert.equal(gates.length, 2);
});

test('while every question fails, nobody waits for more than two, however many ask', async () => {
  const { world, gates, find } = setupGates();
  const all = [find()];
  world.now = 100;
  for (let index = 0; index < 50; index += 1) all.push(find());
  const settled = Promise.allSettled(all);
  for (const round of [0, 1]) {
    gates[round]?.reject(new Error('no answer'));
    await nextTurn();
  }
  assert.ok((await settled).every(({ status }) => status === 'rejected'));
  assert.equal(gates.length, 2);
});

test('what is remembered is forgotten with the next question after its time, and is of a bounded number', async () => {
  const { world, cache, find } = setup(1_000);
  for (let user = 0; user < 12_000; user += 1) await find(REF, { ...JANE, username: `${user}` });
  assert.equal(cache.size, 10_000);
  await find(REF, { ...JANE, username: '11999' });
  assert.equal(world.asked, 12_000);
  world.now = 1_000;
  world.answer = 'missing';
  await find();
  assert.equal(cache.size, 0);
});
