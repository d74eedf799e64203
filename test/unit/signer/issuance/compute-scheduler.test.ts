// Scheduling in the thread pool: how many computations of one tenant and of all run at a time, and when slow
// ones pause.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { ComputeScheduler } from '@countersign/signer/authority/compute-scheduler.ts';

const secret = (namespace: string, name = 'ca') => ({ namespace, name });
const ownerOf = (name: string) => secret(name[0] ?? '');

/** Returns work that never finishes, identified by name. */
function createWork() {
  const active: string[] = [];
  return { active, work: (name: string) => () => (active.push(name), new Promise<never>(() => {})) };
}

test('two signatures of one tenant run at a time, in parallel with other tenants', async () => {
  const { active, work } = createWork();
  const scheduler = new ComputeScheduler();
  for (const name of ['a1', 'a2', 'a3', 'b1']) void scheduler.ofSigning(ownerOf(name)).run(work(name));
  await tick();
  assert.deepEqual(active, ['a1', 'a2', 'b1']);
});

test('one slow signature runs at a time across all tenants, without blocking other signatures', async () => {
  const { active, work } = createWork();
  const scheduler = new ComputeScheduler();
  for (const name of ['a1', 'a2', 'a3', 'b1']) void scheduler.ofSigning(ownerOf(name)).runSlow(work(name));
  void scheduler.ofSigning(secret('c')).run(work('c1'));
  await tick();
  assert.deepEqual(active, ['a1', 'c1']);
});

test('slow signatures of several tenants alternate', async () => {
  const done: string[] = [];
  const scheduler = new ComputeScheduler();
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'];
  await Promise.all(names.map(name => scheduler.ofSigning(ownerOf(name)).runSlow(async () => void done.push(name))));
  assert.ok(done.indexOf('b1') < done.indexOf('a4'), done.join(' '));
});

test('the Secrets of one tenant are loaded one at a time, and a failure does not stop the queue', async () => {
  const done: string[] = [];
  const scheduler = new ComputeScheduler();
  const failing = scheduler.load(secret('a'), async () => {
    await tick();
    done.push('first');
    throw new Error('no');
  });
  const next = scheduler.load(secret('a', 'other'), async () => void done.push('second'));
  await assert.rejects(failing, /no/);
  await next;
  assert.deepEqual(done, ['first', 'second']);
});

/** The slow loads of one namespace that are followed by no pause. */
const LOADS_WITHOUT_PAUSE_MS = 500;

interface Case {
  /** The computation for the Secret n/a, run twice. */
  readonly compute: (scheduler: ComputeScheduler, work: () => Promise<void>) => Promise<void>;
  /** The Secrets of namespace n used before, most recent last. */
  readonly used: readonly string[];
  readonly tookMs?: number;
  /** Time since the last use when the first computation starts. */
  readonly idleMs?: number;
}

/** Returns the milliseconds that a second computation waits after the first. */
async function pauseAfter({ compute, used, tookMs = 20, idleMs = 0 }: Case): Promise<number> {
  let now = 0;
  const scheduler = new ComputeScheduler(() => now);
  await load(scheduler, async () => void (now += LOADS_WITHOUT_PAUSE_MS));
  for (const name of used) scheduler.noteUse(secret('n', name));
  now += idleMs;
  const begun: number[] = [];
  const work = async () => {
    begun.push(performance.now());
    now += tookMs;
  };
  await Promise.all([compute(scheduler, work), compute(scheduler, work)]);
  return (begun[1] ?? 0) - (begun[0] ?? 0);
}

const slow: Case['compute'] = (scheduler, work) => scheduler.ofSigning(secret('n', 'a')).runSlow(work);
const load: Case['compute'] = (scheduler, work) => scheduler.load(secret('n', 'a'), work);

for (const [what, compute] of [
  ['a slow signature', slow],
  ['a load', load],
] as const) {
  test(`the computation after ${what} waits three times its duration while another Secret is in use`, async () => {
    for (const used of [['b'], ['b', 'a', 'a'], ['a', 'b']]) {
      const pause = await pauseAfter({ compute, used });
      assert.ok(pause >= 59, `${pause} ms after ${used.join(' ')}`);
    }
  });

  test(`the computation after ${what} does not wait while no other Secret is in use`, async () => {
    // A pause would take seconds, longer than any stall of the machine.
    for (const used of [[], ['a'], ['a', 'a']]) assert.ok((await pauseAfter({ compute, used, tookMs: 900 })) < 900);
    assert.ok((await pauseAfter({ compute, used: ['b'], idleMs: 1_000, tookMs: 900 })) < 900);
  });
}

test('a pause is at most a second', async () => {
  const pause = await pauseAfter({ compute: slow, used: ['b'], tookMs: 999 });
  assert.ok(pause >= 999 && pause < 2_900, `${pause} ms`);
});

test('a fast signature is followed by the next without a pause', async () => {
  const compute: Case['compute'] = (scheduler, work) => scheduler.ofSigning(secret('n', 'a')).run(work);
  assert.ok((await pauseAfter({ compute, used: ['b'], tookMs: 900 })) < 900);
});

/** Loads this many Secrets of one namespace while another is in use; returns how many began without a pause. */
async function beginLoads(count: number, { tookMs, betweenMs = 0 }: { tookMs: number; betweenMs?: number }) {
  let now = 0;
  let begun = 0;
  const scheduler = new ComputeScheduler(() => now);
  for (let at = 0; at < count; at++) {
    scheduler.noteUse(secret('n', 'b'));
    void load(scheduler, async () => {
      begun += 1;
      now += tookMs;
    });
    await tick();
    now += betweenMs;
  }
  return begun;
}

test('the slow loads of a namespace begin without pauses until they have taken half a second, as at a start', async () => {
  assert.equal(await beginLoads(20, { tookMs: 300 }), 2);
});

test('the half second comes back at a quarter of the time that passes', async () => {
  assert.equal(await beginLoads(20, { tookMs: 300, betweenMs: 1_200 }), 20);
});

test('a load of a few milliseconds is followed by the next without a pause', async () => {
  let now = 0;
  const scheduler = new ComputeScheduler(() => now);
  scheduler.noteUse(secret('n', 'b'));
  const loads: number[] = [];
  const work = async () => void loads.push((now += 9));
  const [first] = [load(scheduler, work), load(scheduler, work)];
  await first;
  await tick();
  assert.equal(loads.length, 2);
});
