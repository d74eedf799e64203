// A controller whose copy of the cluster is old, after a spell in which the API server said nothing: it says so, and lists afresh
// before it decides anything by that copy.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import type { Controller } from '@countersign/signer/lines/controller.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { until } from '../../support/until.ts';
import { type ClusterClient, CSRS, start } from './controller-world.ts';

/** A little more than a copy may be old. */
const SPELL_MS = 20_001;
const LISTS = [CSRS, '/apis/cert-manager.io/v1/issuers', '/apis/cert-manager.io/v1/clusterissuers'];

/** Of the CSRs, reads and writes of one count, too. */
const countLists = (client: ClusterClient) => LISTS.map(path => client.count(path));

/** What `act` gives when the copy is as old. */
function afterSpell<T>(t: TestContext, act: () => T): T {
  const now = Date.now.bind(Date);
  const clock = t.mock.method(Date, 'now', () => now() + SPELL_MS);
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

test('a replica that heard nothing for too long reports each resource that may be out of date', async t => {
  const { controller } = await start(t, { leads: false });
  assert.deepEqual(controller.problems(), []);
  assert.deepEqual(
    afterSpell(t, () => controller.problems()),
    ['certificatesigningrequests', 'issuers', 'clusterissuers'].map(
      name => `${name}: stale, no recent response from the API server`,
    ),
  );
});

test('a replica that leads again after such a spell lists all afresh, and signs what its watch has missed', async t => {
  const { client, controller } = await start(t, { leads: false });
  client.lists['certificatesigningrequests'] = [buildCsr({ name: 'missed' })];
  afterSpell(t, () => void lead(t, controller));
  await until(() => client.writes.length === 1 && countLists(client).every(count => count >= 2));
});

test('a replica whose copy is up to date lists nothing afresh when it leads', async t => {
  const { client, controller } = await start(t, { leads: false });
  void lead(t, controller);
  await sleep(50);
  assert.deepEqual(countLists(client), [1, 1, 1]);
});
