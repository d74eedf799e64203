// Signers that are killed or stopped, and an API server that goes away: whatever happens, each approved request is signed
// exactly once, and nobody has to restart anything.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { type Cluster, type KubeObject, startCluster } from '../support/cluster.ts';
import type { RunningService } from '../support/installation.ts';
import { readPki } from '../support/pki.ts';
import { approve, CSRS, type CsrObject, chainOf, createCsr, issue, whenIssued } from '../support/requests.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/countersign/leases/countersign-signer';
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
/** A renewal is seen up to 2 s late, and holds for 15 s; then there is the work itself, on a machine under load. */
const LEASE_MS = 22_000;
const PARALLEL = 12;

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity: string };
}

let dir: string;
let cluster: Cluster;
let signerName: string;
before(async () => {
  // Kept by the control plane, so that it can come back.
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

/** The replica that says of itself that it leads; fails if two say so. */
async function leader(): Promise<RunningService> {
  const find = async () => {
    const leading: RunningService[] = [];
    for (const signer of cluster.installation.running('signer')) {
      const metrics = await (await request(`${signer.url}/metrics`)).body.text();
      if (/^leader_election_master_status 1$/m.test(metrics)) leading.push(signer);
    }
    assert.ok(leading.length < 2, 'two lead');
    return leading[0];
  };
  return cluster.eventually('a signer leads', find, LEASE_MS);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** A few at a time, as many users would. */
async function forEach(items: readonly string[], work: (item: string) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

async function listSigned(prefix: string): Promise<CsrObject[]> {
  const { items } = await cluster.api.get<{ items: CsrObject[] }>(CSRS);
  return items.filter(({ metadata, status }) => metadata.name.startsWith(`${prefix}-`) && status?.certificate);
}

async function whenAllSigned(prefix: string, count: number, withinMs?: number): Promise<CsrObject[]> {
  await forEach(names(prefix, count), name => whenIssued(cluster, name, withinMs));
  const signed = await listSigned(prefix);
  const serials = new Set(signed.map(csr => new X509Certificate(chainOf(csr)).serialNumber));
  assert.deepEqual([signed.length, serials.size], [count, count], 'a certificate and a serial for each');
  return signed;
}

test('300 requests that are approved at once are each signed once, and told once', async t => {
  const all = names('burst', 300);
  await forEach(all, name => createCsr(cluster, { name, signerName }));
  const start = performance.now();
  await forEach(all, name => approve(cluster, name));
  const signed = await whenAllSigned('burst', 300);
  t.diagnostic(`approved and signed in ${Math.round(performance.now() - start)} ms`);
  for (const { metadata, status } of signed) {
    assert.ok(metadata.annotations?.['experimental.cert-manager.io/ca']);
    assert.equal(status?.conditions?.length, 1);
  }
  const isTold = async () => {
    const path = '/api/v1/namespaces/default/events?fieldSelector=reason%3DCertificateIssued';
    const { items } = await cluster.api.get<{ items: { involvedObject: { name: string }; count: number }[] }>(path);
    const told = items.filter(({ involvedObject }) => involvedObject.name.startsWith('burst-'));
    return told.length >= 300 ? told : undefined;
  };
  const told = await cluster.eventually('300 certificates are told of', isTold);
  assert.deepEqual([told.length, new Set(told.map(({ involvedObject }) => involvedObject.name)).size], [300, 300]);
  assert.ok(told.every(({ count }) => count === 1));
});

test('a leader that is told to stop exits with 0, leaves the lease, and another signs within three seconds', async t => {
  const first = await leader();
  const heldBefore = (await cluster.api.get<Lease>(LEASE)).spec.holderIdentity;
  await createCsr(cluster, { name: 'handed-over', signerName });
  const start = performance.now();
  const stopped = first.child.stop(10_000);
  await first.child.ended;
  await approve(cluster, 'handed-over');
  await whenIssued(cluster, 'handed-over');
  const took = Math.round(performance.now() - start);
  t.diagnostic(`${took} ms from SIGTERM to the certificate`);
  await stopped;
  assert.equal(first.child.ending, 'exit code 0');
  assert.ok(took < 3_000, `it took ${took} ms`);
  assert.notEqual((await cluster.api.get<Lease>(LEASE)).spec.holderIdentity, heldBefore);
  await cluster.installation.start('signer');
});

test('a leader that is killed in the midst of work is replaced when its lease ends, and nothing is lost or doubled', async t => {
  const first = await leader();
  const all = names('killed', 60);
  await forEach(all, name => createCsr(cluster, { name, signerName }));
  const approvals = forEach(all, name => approve(cluster, name));
  // The first of all to be approved.
  await whenIssued(cluster, 'killed-59');
  assert.ok(first.child.pid);
  process.kill(first.child.pid, 'SIGKILL');
  const start = performance.now();
  await Promise.all([approvals, first.child.ended]);
  const already = new Map((await listSigned('killed')).map(csr => [csr.metadata.name, chainOf(csr)]));
  const signed = await whenAllSigned('killed', 60, LEASE_MS);
  t.diagnostic(`${already.size} of 60 were signed; the rest ${Math.round(performance.now() - start)} ms after the end`);
  for (const csr of signed) assert.equal(already.get(csr.metadata.name) ?? chainOf(csr), chainOf(csr));
});

test('services outlive an API server that goes away, and sign when it is back', async t => {
  await createCsr(cluster, { name: 'interrupted', signerName });
  const pids = runningPids();
  await cluster.restartControlPlane(() => sleep(1_000));
  const start = performance.now();
  await approve(cluster, 'interrupted');
  await whenIssued(cluster, 'interrupted', LEASE_MS);
  t.diagnostic(`signed ${Math.round(performance.now() - start)} ms after the return`);
  await issue(cluster, { name: 'after-the-return', signerName });
  assert.deepEqual(runningPids(), pids, 'the same processes');
  for (const { url } of [...cluster.installation.running('signer'), ...cluster.installation.running('webhook')])
    assert.equal((await request(`${url}/readyz`)).statusCode, 200);
});

test('the last signer that stops leaves the lease to nobody', async () => {
  const signers = cluster.installation.running('signer');
  await Promise.all(signers.map(({ child }) => child.stop(10_000)));
  assert.deepEqual(
    signers.map(({ child }) => child.ending),
    signers.map(() => 'exit code 0'),
  );
  assert.equal((await cluster.api.get<Lease>(LEASE)).spec.holderIdentity, '');
});

function runningPids(): (number | undefined)[] {
  const services = (['signer', 'webhook'] as const).flatMap(name => cluster.installation.running(name));
  return services.map(({ child }) => child.pid);
}
