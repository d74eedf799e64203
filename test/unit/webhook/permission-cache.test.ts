// How long a permission is remembered, and what never is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type Permission, PermissionCache } from '@countersign/webhook/permission-cache.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const JANE = { username: 'jane', groups: ['system:authenticated'] };

/** Counts what is asked; the clock stands still until it is set. */
function setup(ttlMs: number, answer: Permission = 'granted') {
  const world = { now: 0, asked: 0, answer };
  const cache = new PermissionCache(ttlMs, () => world.now);
  const ask = async () => {
    world.asked += 1;
    return world.answer;
  };
  return { world, find: (ref = REF, requester: typeof JANE = JANE) => cache.find(ref, requester, ask), cache };
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

test('a yes to one question says nothing about another requester, other groups or another issuer', async () => {
  const { world, find } = setup(1_000);
  await find();
  world.answer = 'missing';
  assert.equal(await find(REF, { ...JANE, username: 'joe' }), 'missing');
  assert.equal(await find(REF, { ...JANE, groups: [] }), 'missing');
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
