// Signers that are killed or stopped, and an API server that goes away: each approved request is signed exactly once,
// and nothing needs a manual restart.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { readLease, waitForLeader } from '../support/faults/leaders.ts';
import { approveAll, certificatesOf, createAll, namesOf, whenSigned } from '../support/faults/load.ts';
import { readPki } from '../support/pki.ts';
import { approve, type CsrObject, chainOf, createCsr, issue, waitUntilIssued } from '../support/requests.ts';

const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
/** A renewal is seen up to 2 s late and lasts 15 s; the rest is for the work itself on a loaded machine. */
const LEASE_MS = 22_000;

let dir: string;
let cluster: Cluster;
let signerName: string;
before(async () => {
  // Kept by the control plane, so that the API server can come back.
  dir = await mkdtemp(join(tmpdir(), 'countersign-resilience-'));
  cluster = await startCluster({ dir });
  await cluster.installation.start('signer');
  signerName = await cluster.createCaIssuer({ name: 'root' }, ROOT);
  await cluster.whenReady({ name: 'root' });
});
after(async () => {
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function whenEachIsSigned(names: readonly string[]): Promise<readonly CsrObject[]> {
  const signed = await whenSigned(cluster, names);
  const serials = new Set(signed.map(csr => new X509Certificate(chainOf(csr)).serialNumber));
  assert.equal(serials.size, names.length, 'a serial for each');
  return signed;
}

/** Returns how many replicas report themselves as leader. */
async function countLeaders(): Promise<number> {
  const signers = cluster.installation.running('signer');
  const metrics = await Promise.all(signers.map(async ({ url }) => (await request(`${url}/metrics`)).body.text()));
  return metrics.filter(text => /^leader_election_master_status 1$/m.test(text)).length;
}

test('300 requests approved at once are each signed once, with one event', async t => {
  const names = namesOf('burst', 300);
  await createAll(cluster, names, signerName);
  const start = performance.now();
  await approveAll(cluster, names);
  const signed = await whenEachIsSigned(names);
  t.diagnostic(`approved and signed in ${Math.round(performance.now() - start)} ms`);
  for (const { metadata, status } of signed) {
    assert.ok(metadata.annotations?.['experimental.cert-manager.io/ca']);
    assert.equal(status?.conditions?.length, 1);
  }
  const haveEvents = async () => {
    const path = '/api/v1/namespaces/default/events?fieldSelector=reason%3DCertificateIssued';
    const { items } = await cluster.api.get<{ items: { involvedObject: { name: string }; count: number }[] }>(path);
    const recorded = items.filter(({ involvedObject }) => names.includes(involvedObject.name));
    return recorded.length >= 300 ? recorded : undefined;
  };
  const recorded = await cluster.eventually('300 certificates have events', haveEvents);
  assert.deepEqual(
    [recorded.length, new Set(recorded.map(({ involvedObject }) => involvedObject.name)).size],
    [300, 300],
  );
  assert.ok(recorded.every(({ count }) => count === 1));
});

test('a stopped leader exits with 0 and releases the Lease, and another replica signs within three seconds', async t => {
  const first = await waitForLeader(cluster);
  const heldBefore = (await readLease(cluster)).spec.holderIdentity;
  assert.equal(await countLeaders(), 1);
  await createCsr(cluster, { name: 'handed-over', signerName });
  const start = performance.now();
  const stopped = first.child.stop(10_000);
  await first.child.ended;
  await approve(cluster, 'handed-over');
  await waitUntilIssued(cluster, 'handed-over');
  const took = Math.round(performance.now() - start);
  t.diagnostic(`${took} ms from SIGTERM to the certificate`);
  await stopped;
  assert.equal(first.child.ending, 'exit code 0');
  assert.ok(took < 3_000, `it took ${took} ms`);
  assert.notEqual((await readLease(cluster)).spec.holderIdentity, heldBefore);
  await cluster.installation.start('signer');
});

test('a leader killed during work is replaced when its Lease expires, and nothing is lost or duplicated', async t => {
  const first = await waitForLeader(cluster);
  const names = namesOf('killed', 60);
  await createAll(cluster, names, signerName);
  const approvals = approveAll(cluster, names);
  await whenSigned(cluster, names, 1);
  assert.ok(first.child.pid);
  process.kill(first.child.pid, 'SIGKILL');
  const start = performance.now();
  await Promise.all([approvals, first.child.ended]);
  const already = await certificatesOf(cluster, names);
  const signed = await whenEachIsSigned(names);
  t.diagnostic(`${already.size} of 60 were signed; the rest ${Math.round(performance.now() - start)} ms after the end`);
  for (const csr of signed) assert.equal(already.get(csr.metadata.name) ?? chainOf(csr), chainOf(csr));
});

test('services survive an API server outage and sign when it is back', async t => {
  await createCsr(cluster, { name: 'interrupted', signerName });
  const pids = runningPids();
  await cluster.restartControlPlane(() => sleep(1_000));
  const start = performance.now();
  await approve(cluster, 'interrupted');
  await waitUntilIssued(cluster, 'interrupted', LEASE_MS);
  t.diagnostic(`signed ${Math.round(performance.now() - start)} ms after the return`);
  await issue(cluster, { name: 'after-the-return', signerName });
  assert.deepEqual(runningPids(), pids, 'the same processes');
  for (const { url } of [...cluster.installation.running('signer'), ...cluster.installation.running('webhook')])
    assert.equal((await request(`${url}/readyz`)).statusCode, 200);
});

test('the last signer that stops releases the Lease', async () => {
  const signers = cluster.installation.running('signer');
  await Promise.all(signers.map(({ child }) => child.stop(10_000)));
  assert.deepEqual(
    signers.map(({ child }) => child.ending),
    signers.map(() => 'exit code 0'),
  );
  assert.equal((await readLease(cluster)).spec.holderIdentity, '');
});

function runningPids(): (number | undefined)[] {
  const services = (['signer', 'webhook'] as const).flatMap(name => cluster.installation.running(name));
  return services.map(({ child }) => child.pid);
}
