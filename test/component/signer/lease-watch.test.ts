// The watch that tells a standby replica that the Lease is free, and its recovery from errors.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseWatch } from '@countersign/common/runtime/controller/lease-watch.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import { recordLog } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';

/** Longer than the test timeout. */
const LONG_MS = 60_000;
const forever = new AbortController().signal;
const FREE = { spec: { holderIdentity: '' } };
const TAKEN = { spec: { holderIdentity: 'a' } };

/** Starts a watch per entry of `turns`: its events or its error; the last one stays open. */
function start(t: TestContext, ...turns: readonly (readonly WatchEvent[] | Error)[]) {
  const { lines, log } = recordLog('warn');
  const paths: string[] = [];
  const seen: unknown[] = [];
  const stop = new AbortController();
  async function* watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const turn = turns[paths.push(path) - 1] ?? [];
    if (turn instanceof Error) throw turn;
    yield* turn;
    if (paths.length >= turns.length) await new Promise(resolve => signal.addEventListener('abort', resolve));
  }
  const leaseWatch = new LeaseWatch({
    client: { watch },
    log,
    path: '/leases',
    name: 'countersign-signer',
    onChange: lease => {
      seen.push(lease);
      return lease === undefined || lease === FREE;
    },
  });
  const running = leaseWatch.run(stop.signal);
  const end = () => (stop.abort(), running);
  t.after(end);
  return { leaseWatch, lines, paths, seen, end };
}

test('the watch selects one Lease and ends with its signal', async t => {
  const { paths, end } = start(t);
  await until(() => paths.length === 1);
  assert.match(
    paths[0] ?? '',
    /^\/leases\?watch=1&fieldSelector=metadata\.name%3Dcountersign-signer&timeoutSeconds=\d+$/,
  );
  await end();
});

for (const { what, event, isFree } of [
  { what: 'a Lease that was released', event: { type: 'MODIFIED', object: FREE }, isFree: true },
  { what: 'a Lease that was deleted', event: { type: 'DELETED', object: TAKEN }, isFree: true },
  { what: 'a Lease that was renewed', event: { type: 'MODIFIED', object: TAKEN }, isFree: false },
  { what: 'a bookmark', event: { type: 'BOOKMARK', object: FREE }, isFree: false },
] as const) {
  test(`${what} ${isFree ? 'ends' : 'does not end'} the wait for a free Lease`, async t => {
    const { leaseWatch, seen, paths } = start(t, [event]);
    await until(() => paths.length === 1 && (seen.length === 1 || event.type === 'BOOKMARK'));
    const started = performance.now();
    await leaseWatch.whenFree(isFree ? LONG_MS : 50, forever);
    assert.ok(isFree || performance.now() - started >= 49);
    assert.deepEqual(seen, event.type === 'BOOKMARK' ? [] : [event.type === 'DELETED' ? undefined : event.object]);
  });
}

test('a Lease that becomes free while nothing waits ends only the next wait', async t => {
  const { leaseWatch, seen } = start(t, [{ type: 'MODIFIED', object: FREE }]);
  await until(() => seen.length === 1);
  await leaseWatch.whenFree(LONG_MS, forever);
  const started = performance.now();
  await leaseWatch.whenFree(50, forever);
  assert.ok(performance.now() - started >= 49);
});

test('the wait for a free Lease ends with its signal', async t => {
  const { leaseWatch } = start(t);
  const over = new AbortController();
  setTimeout(() => over.abort(), 10);
  await leaseWatch.whenFree(LONG_MS, over.signal);
});

test('a broken watch is reopened after a pause and logged once', async t => {
  const broken = new RetryableError('reset', { code: 'network' });
  const { leaseWatch, lines, paths } = start(t, broken, broken, [{ type: 'MODIFIED', object: FREE }]);
  const started = performance.now();
  await leaseWatch.whenFree(LONG_MS, forever);
  // At least half of 1 s and half of 2 s.
  assert.ok(performance.now() - started >= 1_490, `${performance.now() - started} ms`);
  assert.equal(paths.length, 3);
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['cannot watch lease, retrying'],
  );
});

test('a watch that the server closes is reopened without a warning', async t => {
  const { lines, paths } = start(t, [{ type: 'MODIFIED', object: TAKEN }], []);
  await until(() => paths.length === 2);
  await sleep(10);
  assert.deepEqual(lines, []);
});
