// Turns in the thread pool: how many computations of one tenant, and of all, run at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { TurnsByNamespace } from '@countersign/signer/issuance/turns.ts';

/** Work that stays in hand, by name. */
function createWork() {
  const inHand: string[] = [];
  return { inHand, work: (name: string) => () => (inHand.push(name), new Promise<never>(() => {})) };
}

test('two signatures of one tenant run at a time, and those of others beside them', async () => {
  const { inHand, work } = createWork();
  const turns = new TurnsByNamespace();
  for (const name of ['a1', 'a2', 'a3', 'b1']) void turns.of(name[0] ?? '').run(work(name));
  await tick();
  assert.deepEqual(inHand, ['a1', 'a2', 'b1']);
});

test('of slow signatures one runs at a time, whoever asks for them, and takes no room of the others', async () => {
  const { inHand, work } = createWork();
  const turns = new TurnsByNamespace();
  for (const name of ['a1', 'a2', 'a3', 'b1']) void turns.of(name[0] ?? '').runSlow(work(name));
  void turns.of('c').run(work('c1'));
  await tick();
  assert.deepEqual(inHand, ['a1', 'c1']);
});

test('slow signatures of several tenants alternate', async () => {
  const done: string[] = [];
  const turns = new TurnsByNamespace();
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'];
  await Promise.all(names.map(name => turns.of(name[0] ?? '').runSlow(async () => void done.push(name))));
  assert.ok(done.indexOf('b1') < done.indexOf('a4'), done.join(' '));
});

test('the Secrets of one tenant are loaded one after the other, and a failure does not end the line', async () => {
  const done: string[] = [];
  const loads = new TurnsByNamespace().ofLoading('a');
  const failing = loads.run(async () => {
    await tick();
    done.push('first');
    throw new Error('no');
  });
  const next = loads.run(async () => void done.push('second'));
  await assert.rejects(failing, /no/);
  await next;
  assert.deepEqual(done, ['first', 'second']);
});
