// What becomes of requests when a leader is paused, told to stop or killed: no replica writes without the Lease, the next one
// signs at once, and what a killed one left unreported is reported. TEST_PAUSES sets how often a leader is paused.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, type KubeObject, startCluster } from '../support/cluster.ts';
import type { RunningService } from '../support/installation.ts';
import { approve, CSRS, type CsrObject, chainOf, createCsr } from '../support/requests.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/countersign/leases/countersign-signer';
const PAUSES = Number(process.env['TEST_PAUSES'] ?? 1);
const REQUESTS = 80;
const PARALLEL = 12;
/** A lease of five seconds, the shortest, and the work itself on a machine under load. */
const TAKEOVER_MS = 20_000;

interface Lease extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string };
}

interface LogLine {
  readonly msg: string;
  readonly time: string;
  readonly csr?: string;
  readonly sha256?: string;
  readonly leading?: boolean;
  readonly identity?: string;
  readonly recovered?: boolean;
}

let cluster: Cluster;
let signerName: string;
before(async () => {
  const flags = (process.env['TEST_SIGNER_FLAGS'] ?? '--lease-duration=5s').split(' ').filter(Boolean);
  cluster = await startCluster({ signerFlags: flags });
  await cluster.installation.start('signer');
  // The slower the signature, the more of them are under way when the leader is paused.
  signerName = await cluster.createCaIssuer({ name: 'rsa-root' }, createRsaRoot());
  await cluster.whenReady({ name: 'rsa-root' });
});
after(() => cluster?.stop());

function createRsaRoot(): { certificate: string; key: string } {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-rsa-root-'));
  const [certPath, keyPath] = [join(dir, 'root.crt'), join(dir, 'root.key')];
  try {
    const request = ['req', '-x509', '-newkey', 'rsa:4096', '-nodes', '-subj', '/CN=rsa root', '-days', '30'];
    execFileSync('openssl', [...request, '-keyout', keyPath, '-out', certPath], { stdio: 'pipe' });
    return { certificate: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function linesOf({ child }: RunningService): LogLine[] {
  const lines = readFileSync(child.logPath, 'utf8').split('\n');
  return lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as LogLine);
}

/** The replica whose identity the Lease has. */
function leader(): Promise<RunningService> {
  const find = async () => {
    const { spec } = await cluster.api.get<Lease>(LEASE);
    return cluster.installation
      .running('signer')
      .find(signer => linesOf(signer).some(({ identity }) => identity === spec.holderIdentity));
  };
  return cluster.eventually('a signer leads', find, TAKEOVER_MS);
}

/** A few at a time, as many users would. */
async function forEach(items: readonly string[], work: (item: string) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

async function createAll(prefix: string, count = REQUESTS): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await forEach(names, name => createCsr(cluster, { name, signerName }));
  return names;
}

async function listSigned(prefix: string): Promise<CsrObject[]> {
  const { items } = await cluster.api.get<{ items: CsrObject[] }>(CSRS);
  return items.filter(({ metadata, status }) => metadata.name.startsWith(`${prefix}-`) && status?.certificate);
}

function whenSigned(prefix: string, count: number): Promise<CsrObject[]> {
  const look = async () => {
    const signed = await listSigned(prefix);
    return signed.length >= count ? signed : undefined;
  };
  return cluster.eventually(`${count} of ${prefix} are signed`, look, 2 * TAKEOVER_MS);
}

function whenTakenFrom(holder: string): Promise<Lease> {
  const look = async () => {
    const lease = await cluster.api.get<Lease>(LEASE);
    return lease.spec.holderIdentity === holder ? undefined : lease;
  };
  return cluster.eventually('the Lease is taken', look, TAKEOVER_MS);
}

function sha256Of(csr: CsrObject): string {
  return new X509Certificate(chainOf(csr)).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Gives what the paused leader did once the Lease was another's. */
async function pauseLeader(prefix: string): Promise<{ written: number; signed: number; refused: number }> {
  const paused = await leader();
  const holder = (await cluster.api.get<Lease>(LEASE)).spec.holderIdentity;
  const names = await createAll(prefix);
  const approvals = forEach(names, name => approve(cluster, name));
  await whenSigned(prefix, 10);
  process.kill(paused.child.pid!, 'SIGSTOP');
  const taken = await whenTakenFrom(holder);
  const continued = new Date().toISOString();
  process.kill(paused.child.pid!, 'SIGCONT');
  await approvals;
  const signed = await whenSigned(prefix, REQUESTS);
  await sleep(1_000);
  const lines = linesOf(paused).filter(({ time }) => time >= continued);
  const own = new Set(linesOf(paused).flatMap(({ msg, sha256 }) => (msg === 'certificate issued' ? [sha256] : [])));
  const isLate = ({ metadata }: CsrObject) =>
    Number((metadata as Lease['metadata']).resourceVersion) > Number(taken.metadata.resourceVersion);
  return {
    written: signed.filter(csr => isLate(csr) && own.has(sha256Of(csr))).length,
    signed: lines.filter(({ msg }) => msg === 'signing certificate').length,
    refused: lines.filter(({ msg }) => msg === 'work failed').length,
  };
}

test('a leader that was paused for longer than its Lease writes nothing when it goes on', {
  timeout: PAUSES * 60_000,
}, async t => {
  const figures: Awaited<ReturnType<typeof pauseLeader>>[] = [];
  for (let turn = 0; turn < PAUSES; turn += 1) figures.push(await pauseLeader(`paused-${turn}`));
  t.diagnostic(
    `written, signed and refused in each run: ${figures.map(each => Object.values(each).join('/')).join(' ')}`,
  );
  assert.deepEqual(
    figures.map(({ written, signed, refused }) => [written, signed, refused]),
    figures.map(() => [0, 0, 0]),
  );
});

test('a leader that is stopped hands over within half a second of its release', async t => {
  const figures: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const [first, names] = [await leader(), await createAll(`handed-${turn}`, 5)];
    const heldBefore = (await cluster.api.get<Lease>(LEASE)).spec.holderIdentity;
    const stopped = first.child.stop(10_000);
    await sleep(turn * 700);
    const approvals = forEach(names, name => approve(cluster, name));
    await whenTakenFrom(heldBefore);
    await Promise.all([approvals, stopped]);
    await whenSigned(`handed-${turn}`, 5);
    const lost = linesOf(first).findLast(({ leading }) => leading === false);
    const next = await leader();
    const issued = linesOf(next).find(
      ({ msg, csr }) => msg === 'certificate issued' && csr?.startsWith(`handed-${turn}`),
    );
    const won = linesOf(next).findLast(({ leading }) => leading === true);
    t.diagnostic(`lost ${lost?.time}, won ${won?.time}, first certificate ${issued?.time}`);
    figures.push(Date.parse(won!.time) - Date.parse(lost!.time));
    await cluster.installation.start('signer');
  }
  t.diagnostic(`from the release to the next leader: ${figures.join(', ')} ms`);
  assert.ok(Math.max(...figures) <= 500, figures.join(', '));
});

test('what a leader that was killed did not report, the next one does: each certificate has its audit line and its event', async t => {
  const first = await leader();
  const names = await createAll('crashed');
  const approvals = forEach(names, name => approve(cluster, name));
  await whenSigned('crashed', 5);
  process.kill(first.child.pid!, 'SIGKILL');
  await Promise.all([approvals, first.child.ended]);
  const signed = await whenSigned('crashed', REQUESTS);
  const logs = () => [first, ...cluster.installation.running('signer')].flatMap(linesOf);
  const hasAll = async () => {
    const told = new Set(logs().flatMap(({ msg, sha256 }) => (msg === 'certificate issued' ? [sha256] : [])));
    const path = '/api/v1/namespaces/default/events?fieldSelector=reason%3DCertificateIssued';
    const { items } = await cluster.api.get<{ items: { involvedObject: { name: string } }[] }>(path);
    const events = items.filter(({ involvedObject }) => involvedObject.name.startsWith('crashed-')).length;
    const lines = signed.filter(csr => told.has(sha256Of(csr))).length;
    missing = `${REQUESTS - lines} lines and ${REQUESTS - events} events are missing`;
    return lines === REQUESTS && events === REQUESTS ? true : undefined;
  };
  let missing = '';
  await cluster.eventually('all is reported', hasAll, TAKEOVER_MS).catch(() => assert.fail(missing));
  const recovered = logs().filter(line => line.recovered === true && line.csr?.startsWith('crashed-')).length;
  t.diagnostic(`${recovered} lines are of the next leader`);
  await cluster.installation.start('signer');
});
