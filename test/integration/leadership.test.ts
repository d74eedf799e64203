// Requests when a leader is paused, stopped or killed: no replica writes without the Lease, the next one signs at once
// and reports what a killed one left unreported. TEST_PAUSES sets how often a leader is paused.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.ts';
import {
  countIssued,
  linesOf,
  readLease,
  sha256Of,
  waitForLeader,
  waitForTakeover,
} from '../support/faults/leaders.ts';
import { approveAll, createAll, namesOf, whenSigned } from '../support/faults/load.ts';
import { createSlowRoot, isAway, type Pause, pauseLeader } from '../support/faults/paused-leader.ts';
import type { RunningService } from '../support/service-process.ts';
import { until } from '../support/until.ts';

const PAUSES = Number(process.env['TEST_PAUSES'] ?? 1);
const REQUESTS = 80;
/** Time for the work itself on a loaded machine. */
const REPORTED_WITHIN_MS = 20_000;

let cluster: Cluster;
let signerName: string;
before(async () => {
  const flags = (process.env['TEST_SIGNER_FLAGS'] ?? '--lease-duration=5s').split(' ').filter(Boolean);
  cluster = await startCluster({ signerFlags: flags });
  await cluster.installation.start('signer');
  signerName = await cluster.createCaIssuer({ name: 'rsa-root' }, createSlowRoot());
  await cluster.whenReady({ name: 'rsa-root' });
});
after(() => cluster?.stop());

test('a leader paused for longer than its Lease signs and writes nothing when it resumes', {
  timeout: PAUSES * 60_000,
}, async t => {
  const pauses: Pause[] = [];
  for (let turn = 0; turn < PAUSES; turn += 1) pauses.push(await pauseLeader(cluster, signerName, `paused-${turn}`));
  for (const pause of pauses) t.diagnostic(JSON.stringify(pause));
  assert.deepEqual(
    pauses.filter(pause => !isAway(pause)),
    [],
  );
});

test('a stopped leader hands over within half a second of releasing its Lease', async t => {
  const figures: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const [first, names] = [await waitForLeader(cluster), namesOf(`handed-${turn}`, 5)];
    await createAll(cluster, names, signerName);
    const heldBefore = (await readLease(cluster)).spec.holderIdentity;
    const stopped = first.child.stop(10_000);
    await sleep(turn * 700);
    const approvals = approveAll(cluster, names);
    await waitForTakeover(cluster, heldBefore);
    await Promise.all([approvals, stopped]);
    await whenSigned(cluster, names);
    const lost = linesOf(first).findLast(({ leading }) => leading === false);
    const next = await waitForLeader(cluster);
    const issued = linesOf(next).find(({ msg, csr = '' }) => msg === 'certificate issued' && names.includes(csr));
    const won = linesOf(next).findLast(({ leading }) => leading === true);
    t.diagnostic(`lost ${lost?.time}, won ${won?.time}, first certificate ${issued?.time}`);
    figures.push(Date.parse(won!.time) - Date.parse(lost!.time));
    await cluster.installation.start('signer');
  }
  t.diagnostic(`from the release to the next leader: ${figures.join(', ')} ms`);
  assert.ok(Math.max(...figures) <= 500, figures.join(', '));
});

/** Returns the digests of the certificates that these replicas have logged. */
function loggedBy(...replicas: readonly RunningService[]): ReadonlySet<string | undefined> {
  const issued = replicas.flatMap(linesOf).filter(({ msg }) => msg === 'certificate issued');
  return new Set(issued.map(({ sha256 }) => sha256));
}

/**
 * Kills the leader when it has stored certificates that it has not logged: suspends it until that is the case, and
 * kills it while suspended. Returns the names of their CSRs.
 */
async function killUnreported(replica: RunningService, names: readonly string[]): Promise<readonly string[]> {
  for (;;) {
    process.kill(replica.child.pid!, 'SIGSTOP');
    // Everything it has sent is stored by then.
    await sleep(200);
    const signed = await whenSigned(cluster, names, 1);
    const logged = loggedBy(replica);
    const unreported = signed.filter(csr => !logged.has(sha256Of(csr))).map(({ metadata }) => metadata.name);
    assert.ok(unreported.length > 0 || signed.length < names.length, 'everything is signed and logged');
    process.kill(replica.child.pid!, unreported.length > 0 ? 'SIGKILL' : 'SIGCONT');
    if (unreported.length > 0) return unreported;
    await sleep(5);
  }
}

test('the next leader reports what a killed one did not: each certificate has its audit line and event', async t => {
  const first = await waitForLeader(cluster);
  const names = namesOf('crashed', REQUESTS);
  await createAll(cluster, names, signerName);
  const approvals = approveAll(cluster, names);
  await until(() => countIssued(first, names) > 0);
  const unreported = await killUnreported(first, names);
  await Promise.all([approvals, first.child.ended]);
  const signed = await whenSigned(cluster, names);
  let missing = '';
  const hasAll = async () => {
    const path = '/api/v1/namespaces/default/events?fieldSelector=reason%3DCertificateIssued';
    const { items } = await cluster.api.get<{ items: { involvedObject: { name: string } }[] }>(path);
    const events = items.filter(({ involvedObject }) => names.includes(involvedObject.name)).length;
    const logged = loggedBy(first, ...cluster.installation.running('signer'));
    const lines = signed.filter(csr => logged.has(sha256Of(csr))).length;
    missing = `${REQUESTS - lines} lines and ${REQUESTS - events} events are missing`;
    return lines === REQUESTS && events === REQUESTS ? true : undefined;
  };
  await cluster.eventually('everything is reported', hasAll, REPORTED_WITHIN_MS).catch(() => assert.fail(missing));
  const lines = cluster.installation.running('signer').flatMap(linesOf);
  const recovered = new Set(lines.filter(line => line.recovered === true).map(({ csr }) => csr));
  t.diagnostic(`${unreported.length} were not reported, ${recovered.size} lines are of the next leader`);
  assert.deepEqual(
    unreported.filter(name => !recovered.has(name)),
    [],
  );
  await cluster.installation.start('signer');
});
