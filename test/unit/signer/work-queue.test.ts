import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises';
import {
  type FailedRun,
  type QueueObserver,
  type Work,
  WorkQueue,
} from '@countersign/common/runtime/controller/work-queue.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import { until } from '../../support/until.ts';

const SILENT = { depth() {}, added() {}, retried() {}, started() {}, finished() {} };

interface Setup {
  readonly work: Work;
  readonly workers?: number | WorkerPool;
  readonly delayMs?: number | undefined;
  readonly observer?: QueueObserver;
  readonly shareOf?: (key: string) => string;
}

function create({ work, workers = 1, delayMs = 1, observer = SILENT, ...rest }: Setup) {
  const errors: string[] = [];
  const failed: FailedRun[] = [];
  const queue = new WorkQueue({
    work,
    workers: typeof workers === 'number' ? new WorkerPool(workers) : workers,
    delayFor: () => (delayMs < 0 ? undefined : delayMs),
    onError: run => {
      failed.push(run);
      errors.push(`${run.key}: ${(run.error as Error).message}`);
    },
    observer,
    ...rest,
  });
  return { queue, errors, failed };
}

function start(setup: Setup) {
  const { queue, errors, failed } = create(setup);
  const stop = new AbortController();
  const ended = queue.run(stop.signal);
  return { queue, errors, failed, end: () => (stop.abort(), ended) };
}

test('a key added several times while queued is processed once', async () => {
  const worked: string[] = [];
  const { queue, end } = start({ work: async key => void worked.push(key) });
  for (const key of ['a', 'b', 'a', 'a', 'b']) queue.add(key);
  await sleep(5);
  await end();
  assert.deepEqual(worked, ['a', 'b', 'a']); // `a` was already being processed when it was added again.
});

test('a key is never processed by two workers at once', async () => {
  let active = 0;
  let most = 0;
  const work = async () => {
    active += 1;
    most = Math.max(most, active);
    await sleep(2);
    active -= 1;
  };
  const { queue, end } = start({ work, workers: 8 });
  for (let i = 0; i < 10; i += 1) {
    queue.add('same');
    await sleep(1);
  }
  await end();
  assert.equal(most, 1);
});

test('a queue starts with four workers and adds one per finished key up to the maximum', async () => {
  const active: (() => void)[] = [];
  const work = () => new Promise<void>(resolve => active.push(resolve));
  const { queue, end } = start({ work, workers: 6 });
  for (let i = 0; i < 20; i += 1) queue.add(`key-${i}`);
  const sizes = [active.length];
  for (let i = 0; i < 3; i += 1) {
    active.shift()?.();
    await tick();
    sizes.push(active.length);
  }
  const ended = end();
  for (const finish of active) finish();
  await ended;
  assert.deepEqual(sizes, [4, 5, 6, 6]);
});

test('different keys are processed concurrently by all workers', async () => {
  let active = 0;
  let most = 0;
  const work = async () => {
    active += 1;
    most = Math.max(most, active);
    await sleep(2);
    active -= 1;
  };
  const { queue, end } = start({ work, workers: 3 });
  for (let i = 0; i < 10; i += 1) queue.add(String(i));
  await sleep(30);
  await end();
  assert.equal(most, 3);
});

test('a failing key is retried with an increasing attempt number, which restarts at 0 after a success', async () => {
  const attempts: number[] = [];
  const work: Work = async (_, attempt) => {
    attempts.push(attempt);
    if (attempts.length < 4) throw new Error('not yet');
  };
  const { queue, errors, end } = start({ work });
  queue.add('a');
  await until(() => attempts.length === 4);
  queue.add('a');
  await until(() => attempts.length === 5);
  await end();
  assert.deepEqual(attempts, [0, 1, 2, 3, 0]);
  assert.deepEqual(errors, ['a: not yet', 'a: not yet', 'a: not yet']);
});

test('each reconcile has its own id, and so does its failure', async () => {
  const ids: string[] = [];
  const work: Work = async (_, attempt, reconcileId) => {
    ids.push(reconcileId);
    if (attempt === 0) throw new Error('not yet');
  };
  const { queue, failed, end } = start({ work });
  queue.add('a');
  await until(() => ids.length === 2);
  await end();
  assert.equal(new Set(ids).size, 2);
  assert.deepEqual(
    failed.map(({ reconcileId }) => reconcileId),
    ids.slice(0, 1),
  );
});

test('a key with a permanent failure is given up until it is added again', async () => {
  const attempts: number[] = [];
  const work: Work = async (_, attempt) => {
    attempts.push(attempt);
    throw new Error('never');
  };
  const { queue, end } = start({ work, delayMs: -1 });
  queue.add('a');
  await sleep(10);
  queue.add('a');
  await sleep(5);
  await end();
  assert.deepEqual(attempts, [0, 0]);
});

test('a key added while being processed is processed again at once, even if a retry is due later', async () => {
  let runs = 0;
  const { queue, end } = start({
    work: async () => {
      runs += 1;
      if (runs === 1) {
        queue.add('a');
        throw new Error('first');
      }
    },
    delayMs: 60_000,
  });
  queue.add('a');
  await sleep(10);
  await end();
  assert.equal(runs, 2);
});

test('a stopping queue finishes the current key and starts no other', async () => {
  const finished: string[] = [];
  const { queue, end } = start({
    work: async key => {
      await sleep(10);
      finished.push(key);
    },
  });
  queue.add('a');
  queue.add('b');
  await tick();
  await end();
  assert.deepEqual(finished, ['a']);
});

test('keys added in bulk yield to others but are still processed', async () => {
  const worked: string[] = [];
  const { queue, end } = start({ work: async key => void worked.push(key), workers: 1 });
  queue.addMany(Array.from({ length: 30 }, (_, at) => `many-${at}`));
  for (let at = 0; at < 30; at += 1) queue.add(`one-${at}`);
  // Including one of the many that is also added alone.
  queue.add('many-29');
  queue.addMany(['one-1', 'many-29']);
  assert.equal(queue.depth, 59);
  await until(() => worked.length === 60);
  await end();
  const early = worked.slice(0, 32).filter(key => key.startsWith('one-') || key === 'many-29');
  assert.ok(early.length >= 27 && early.length < 32, worked.join(' '));
  assert.equal(new Set(worked).size, 60);
});

const shareOf = (key: string) => key.split('-')[0] ?? '';

test('shares take turns even if one of them has many more keys', async () => {
  const worked: string[] = [];
  const { queue, end } = start({ work: async key => void worked.push(key), workers: 1, shareOf });
  for (let at = 0; at < 1_000; at += 1) queue.add(`big-${at}`);
  for (let at = 0; at < 3; at += 1) queue.add(`small-${at}`);
  await until(() => worked.length === 1_003);
  await end();
  const small = worked.map((key, at) => (key.startsWith('small') ? at : -1)).filter(at => at >= 0);
  assert.ok(
    small.every(at => at < 10),
    small.join(' '),
  );
  assert.deepEqual(
    worked.filter(key => key.startsWith('small')),
    ['small-0', 'small-1', 'small-2'],
  );
});

test("one share never occupies all workers, so another share's key starts at once", async () => {
  const active = new Map<string, () => void>();
  const work = (key: string) => new Promise<void>(resolve => active.set(key, resolve));
  const { queue, end } = start({ work, workers: 4, shareOf });
  for (let at = 0; at < 10; at += 1) queue.add(`slow-${at}`);
  assert.deepEqual([...active.keys()], ['slow-0', 'slow-1', 'slow-2']);
  queue.add('other-0');
  assert.ok(active.has('other-0'));
  active.get('slow-0')?.();
  await tick();
  // The released worker stays reserved while the other share is active.
  assert.ok(!active.has('slow-3'));
  const ended = end();
  for (const finish of active.values()) finish();
  await ended;
});

test('one share never occupies all initial workers', async () => {
  const active = new Map<string, () => void>();
  const work = (key: string) => new Promise<void>(resolve => active.set(key, resolve));
  const { queue, end } = start({ work, workers: 32, shareOf });
  for (let at = 0; at < 40; at += 1) queue.add(`slow-${at}`);
  assert.equal(active.size, 3);
  queue.add('other-0');
  assert.ok(active.has('other-0'));
  const ended = end();
  for (const finish of active.values()) finish();
  await ended;
});

test('queues with one pool share its workers, and take turns at a free one', async () => {
  const active = new Map<string, () => void>();
  const work = (key: string) => new Promise<void>(resolve => active.set(key, resolve));
  const workers = new WorkerPool(4);
  const queues = ['pod', 'csr'].map(() => start({ work, workers, shareOf }));
  for (const [index, name] of ['pod', 'csr'].entries()) {
    for (let at = 0; at < 10; at += 1) queues[index]?.queue.add(`${name}-${at}`);
  }
  assert.deepEqual([...active.keys()], ['pod-0', 'pod-1', 'pod-2', 'csr-0']);
  // Both are active, so each has at most a quarter of the workers.
  for (const key of ['pod-0', 'pod-1', 'csr-0']) active.get(key)?.();
  await tick();
  assert.deepEqual([...active.keys()].slice(4), ['csr-1']);
  const ended = Promise.all(queues.map(({ end }) => end()));
  for (const finish of active.values()) finish();
  await ended;
});

test('a key starts when a key of another queue has finished', async () => {
  const active = new Map<string, () => void>();
  const work = (key: string) => new Promise<void>(resolve => active.set(key, resolve));
  const workers = new WorkerPool(1);
  const queues = [0, 1].map(() => start({ work, workers }));
  queues[0]?.queue.add('first');
  queues[1]?.queue.add('second');
  assert.deepEqual([...active.keys()], ['first']);
  active.get('first')?.();
  await tick();
  assert.deepEqual([...active.keys()], ['first', 'second']);
  const ended = Promise.all(queues.map(({ end }) => end()));
  active.get('second')?.();
  await ended;
});

test('a queue that is stopped before it starts processes nothing', async () => {
  const worked: string[] = [];
  const { queue } = create({ work: async key => void worked.push(key) });
  queue.add('a');
  await queue.run(AbortSignal.abort());
  assert.deepEqual([worked, queue.isLoaded], [[], false]);
});

test('keys added while the queue is stopping are dropped', async () => {
  const worked: string[] = [];
  const { queue, end } = start({
    work: async key => {
      await sleep(10);
      worked.push(key);
    },
  });
  queue.add('a');
  const ended = end();
  for (const key of ['a', 'b']) queue.add(key);
  await ended;
  assert.deepEqual([worked, queue.depth, queue.isLoaded], [['a'], 0, false]);
});

test('an added key is counted only if it leads to a separate reconcile, as in client-go', async () => {
  let added = 0;
  const observer = { ...SILENT, added: () => (added += 1) };
  const { queue } = create({ work: () => sleep(5), observer });
  for (const key of ['a', 'b', 'a', 'b']) queue.add(key);
  assert.equal(added, 2);
  const stop = new AbortController();
  const ended = queue.run(stop.signal);
  for (const key of ['a', 'a', 'b']) queue.add(key);
  assert.equal(added, 3);
  stop.abort();
  await ended;
});
