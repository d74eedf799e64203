import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaderLease } from '@countersign/common/runtime/controller/leader-lease.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { until } from '../../support/until.ts';

/** Milliseconds: long enough for a busy machine to renew in time. */
const DURATION_MS = 600;

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** One Lease as stored by the API server: writes with an old resourceVersion conflict. */
class LeaseServer {
  lease: { metadata: { resourceVersion: string }; spec: { holderIdentity: string } } | undefined;
  isDown = false;
  /** Number of attempts that were answered. */
  answers = 0;
  /** Writes are answered when this is resolved. */
  slow: Promise<void> | undefined;
  /** Interval at which candidates retry. */
  retryMs = 10;
  /** Whether standby replicas see each write. */
  isWatched = false;
  onChange: () => void = () => undefined;
  /** All calls so far. */
  readonly calls: RecordedCall[] = [];

  readonly answer = (call: RecordedCall): unknown => {
    const { verb, body } = call;
    this.calls.push(call);
    if (this.isDown) throw new RetryableError('down', { code: 'network' });
    if (verb === 'get') return this.lease && structuredClone(this.lease);
    return this.slow === undefined ? this.#write(verb, body) : this.slow.then(() => this.#write(verb, body));
  };

  #write(verb: string, body: unknown): unknown {
    const given = structuredClone(body) as NonNullable<LeaseServer['lease']>;
    const current = this.lease?.metadata.resourceVersion ?? '0';
    if (verb === 'create' ? this.lease !== undefined : given.metadata.resourceVersion !== current) {
      throw new RetryableError('conflict', { code: 'conflict' });
    }
    this.lease = { ...given, metadata: { ...given.metadata, resourceVersion: String(Number(current) + 1) } };
    this.onChange();
    return this.lease;
  }
}

/** Delivers the current Lease and each change to it, if it is watched. */
class LeaseClient extends RecordingClient {
  readonly #server: LeaseServer;

  constructor(server: LeaseServer) {
    super(server.answer);
    this.#server = server;
  }

  override async *watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent> {
    if (!this.#server.isWatched) yield* super.watch(path, signal);
    while (!signal.aborted) {
      const changed = Promise.withResolvers<void>();
      this.#server.onChange = changed.resolve;
      signal.addEventListener('abort', () => changed.resolve(), { once: true });
      yield { type: 'MODIFIED', object: structuredClone(this.#server.lease) };
      await changed.promise;
    }
  }
}

function contend(t: TestContext, server: LeaseServer, identity: string, leaders: string[]) {
  const stop = new AbortController();
  const lease = new LeaderLease({
    client: new LeaseClient(server),
    namespace: 'countersign',
    name: 'countersign-signer',
    identity,
    log: createLogger({ service: 'test', level: 'fatal' as 'error' }),
    durationMs: DURATION_MS,
    timing: { retryMs: server.retryMs },
    contact: { recordAnswer: () => void (server.answers += 1) },
  });
  const ended = lease.run(stop.signal, async ({ signal: leading }) => {
    leaders.push(identity);
    await new Promise(resolve => leading.addEventListener('abort', resolve, { once: true }));
    leaders.splice(leaders.indexOf(identity), 1);
  });
  const end = () => {
    stop.abort();
    return ended;
  };
  t.after(end);
  return { end };
}

/** Starts one replica, which becomes leader. */
async function lead(t: TestContext, retryMs?: number) {
  const server = new LeaseServer();
  if (retryMs !== undefined) server.retryMs = retryMs;
  const leaders: string[] = [];
  const { end } = contend(t, server, 'a', leaders);
  await until(() => leaders.length === 1);
  return { server, leaders, end };
}

test('one of two replicas is the leader and hands over at once when it stops', async t => {
  const server = new LeaseServer();
  const leaders: string[] = [];
  const a = contend(t, server, 'a', leaders);
  await until(() => leaders.includes('a'));
  const b = contend(t, server, 'b', leaders);
  await sleep(1.7 * DURATION_MS); // Longer than the Lease: it was renewed.
  assert.deepEqual(leaders, ['a']);
  const stopped = performance.now();
  await a.end();
  await until(() => leaders.includes('b'));
  assert.ok(performance.now() - stopped < DURATION_MS, 'it was released, not left to expire');
  await b.end();
  assert.equal(server.lease?.spec.holderIdentity, '');
});

test('a released Lease is acquired at once by a watching replica, long before its next attempt', async t => {
  const server = new LeaseServer();
  server.isWatched = true;
  const leaders: string[] = [];
  const a = contend(t, server, 'a', leaders);
  await until(() => leaders.includes('a'));
  server.retryMs = 60_000;
  contend(t, server, 'b', leaders);
  await until(() => server.calls.filter(({ verb }) => verb === 'get').length === 2);
  await a.end();
  await until(() => leaders.includes('b'));
});

test('a leader renews its Lease with one write each time and never reads it', async t => {
  const server = new LeaseServer();
  const a = contend(t, server, 'a', []);
  await until(() => server.calls.length >= 6);
  await a.end();
  const verbs = server.calls.map(({ verb }) => verb);
  assert.deepEqual(verbs.slice(0, 6), ['get', 'create', 'update', 'update', 'update', 'update']);
});

test('the Lease records when it was acquired and its number of transitions (coordination.k8s.io/v1 LeaseSpec)', async t => {
  const server = new LeaseServer();
  const claimsOf = (identity: string) => {
    const specs = server.calls.map(({ body }) => (body as { spec: LeaseSpec } | undefined)?.spec);
    return specs.filter(spec => spec?.holderIdentity === identity) as LeaseSpec[];
  };
  for (const identity of ['a', 'b']) {
    const { end } = contend(t, server, identity, []);
    await until(() => claimsOf(identity).length >= 2);
    await end();
  }
  const [first, renewed] = claimsOf('a');
  const [taken, kept] = claimsOf('b');
  assert.ok(first && renewed && first.acquireTime === renewed.acquireTime && first.renewTime < renewed.renewTime);
  assert.ok(taken && kept && taken.acquireTime >= renewed.renewTime && taken.acquireTime === kept.acquireTime);
  assert.deepEqual(
    [first, renewed, taken, kept].map(({ leaseTransitions }) => leaseTransitions),
    [0, 0, 1, 1],
  );
  assert.ok(
    [...claimsOf('a'), ...claimsOf('b')].every(({ leaseDurationSeconds }) => leaseDurationSeconds === 1),
    '600 ms, in whole seconds',
  );
});

test('a leader whose Lease was taken by another stops at its next renewal', async t => {
  const { server, leaders } = await lead(t, 100);
  const { lease } = server;
  const spec = { ...lease?.spec, holderIdentity: 'b', leaseDurationSeconds: 60 };
  server.answer({ verb: 'update', path: '', body: { ...lease, spec } });
  const started = performance.now();
  await until(() => leaders.length === 0);
  assert.ok(performance.now() - started < 0.65 * DURATION_MS, `${performance.now() - started} ms`);
});

test('slow renewals are as frequent as fast ones, so leadership is kept', async t => {
  // A renewal takes 220 ms of the available 400; with a pause of 200 after each, the next one would be too late.
  const { server, leaders } = await lead(t, 200);
  for (let turn = 0; turn < 8; turn += 1) {
    server.slow = sleep(220);
    await sleep(220);
    assert.deepEqual(leaders, ['a']);
  }
  server.slow = undefined;
});

test('shutdown waits three seconds for a Lease that cannot be released, and no longer', async t => {
  const { server, end } = await lead(t);
  server.slow = new Promise(() => {});
  const started = performance.now();
  await end();
  assert.ok(performance.now() - started < 10_000);
});

test('only one of several replicas that find no Lease at the same time becomes leader', async t => {
  const server = new LeaseServer();
  const leaders: string[] = [];
  const replicas = ['a', 'b', 'c'].map(name => contend(t, server, name, leaders));
  await until(() => leaders.length > 0);
  await sleep(60);
  assert.equal(leaders.length, 1);
  await Promise.all(replicas.map(({ end }) => end()));
});

test('a leader that cannot renew stops leading before another may take over', async t => {
  const server = new LeaseServer();
  const leaders: string[] = [];
  const a = contend(t, server, 'a', leaders);
  await until(() => leaders.includes('a'));
  server.isDown = true;
  const failing = performance.now();
  await until(() => leaders.length === 0);
  assert.ok(performance.now() - failing < DURATION_MS);
  server.isDown = false;
  await until(() => leaders.includes('a')); // The same replica may become leader again.
  await a.end();
});

test('the Lease of a silent holder is acquired when it expires, not at the next attempt', async t => {
  const server = new LeaseServer();
  const spec = { holderIdentity: 'gone', leaseDurationSeconds: 0.3 };
  server.answer({ verb: 'create', path: '', body: { metadata: {}, spec } });
  const leaders: string[] = [];
  server.retryMs = 10_000;
  const started = performance.now();
  contend(t, server, 'b', leaders);
  await until(() => leaders.includes('b'));
  const waited = performance.now() - started;
  assert.ok(waited >= 300 && waited < server.retryMs, `${waited} ms`);
});

test('the Lease of a silent holder is not acquired before its duration has passed', async t => {
  const server = new LeaseServer();
  server.answer({
    verb: 'create',
    path: '',
    body: { metadata: {}, spec: { holderIdentity: 'gone', leaseDurationSeconds: 0.15 } },
  });
  const leaders: string[] = [];
  const started = performance.now();
  const b = contend(t, server, 'b', leaders);
  await until(() => leaders.includes('b'));
  assert.ok(performance.now() - started >= 150);
  await b.end();
});

test('a leader that sees another holder stops at once, before its own term expires', async t => {
  const server = new LeaseServer();
  const leaders: string[] = [];
  contend(t, server, 'a', leaders);
  await until(() => leaders.includes('a'));
  const { resourceVersion } = server.lease!.metadata;
  server.lease = { metadata: { resourceVersion: `${resourceVersion}0` }, spec: { holderIdentity: 'b' } };
  const taken = performance.now();
  await until(() => leaders.length === 0);
  assert.ok(performance.now() - taken < 0.65 * DURATION_MS);
});

test('a renewal in flight on shutdown does not reacquire the released Lease', async t => {
  const server = new LeaseServer();
  const { end } = contend(t, server, 'a', []);
  await sleep(30);
  const slow = Promise.withResolvers<void>();
  server.slow = slow.promise;
  await sleep(30);
  const ended = end();
  await sleep(5);
  server.slow = undefined;
  slow.resolve();
  await ended;
  assert.equal(server.lease?.spec.holderIdentity, '');
});

test('an attempt counts as answered regardless of the holder, unless the API server fails', async t => {
  const { server, end } = await lead(t);
  contend(t, server, 'b', []);
  await until(() => server.answers > 4);
  await end();
  server.isDown = true;
  await sleep(20);
  const before = server.answers;
  await sleep(50);
  assert.equal(server.answers, before);
  server.isDown = false;
  await until(() => server.answers > before);
});
