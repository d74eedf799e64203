// A controller whose cache is stale because the API server was silent: it reports that, and lists again before it
// decides anything.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import type { Controller } from '@countersign/signer/controllers/controller.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { until } from '../../support/until.ts';
import { type ClusterClient, CSRS, start } from './controller-harness.ts';

/** Slightly more than the maximum age of the cache. */
const SILENCE_MS = 20_001;
const LISTS = [CSRS, '/apis/cert-manager.io/v1/issuers', '/apis/cert-manager.io/v1/clusterissuers'];

/** Counts calls per list; for CSRs, including reads and writes. */
const countLists = (client: ClusterClient) => LISTS.map(path => client.count(path));

/** Runs `act` with the clock moved past the maximum age. */
function afterSilence<T>(t: TestContext, act: () => T): T {
  const now = Date.now.bind(Date);
  const clock = t.mock.method(Date, 'now', () => now() + SILENCE_MS);
  try {
    return act();
  } finally {
    clock.mock.restore();
  }
}

function lead(t: TestContext, controller: Controller): Promise<void> {
  const stop = new AbortController();
  const leading = controller.lead(soleLeadership(stop.signal));
  t.after(() => (stop.abort(), leading));
  return leading;
}

test('a replica reports each resource whose watch was silent for too long', async t => {
  const { controller } = await start(t, { leads: false });
  assert.deepEqual(controller.problems(), []);
  assert.deepEqual(
    afterSilence(t, () => controller.problems()),
    ['certificatesigningrequests', 'issuers', 'clusterissuers'].map(
      name => `${name}: stale, no recent response from the API server`,
    ),
  );
});

test('a replica that becomes leader after a silence lists everything again and signs what its watch missed', async t => {
  const { client, controller } = await start(t, { leads: false });
  client.lists['certificatesigningrequests'] = [buildCsr({ name: 'missed' })];
  afterSilence(t, () => void lead(t, controller));
  await until(() => client.writes.length === 1 && countLists(client).every(count => count >= 2));
});

test('a replica with an up-to-date cache does not list again when it becomes leader', async t => {
  const { client, controller } = await start(t, { leads: false });
  void lead(t, controller);
  await sleep(50);
  assert.deepEqual(countLists(client), [1, 1, 1]);
});
