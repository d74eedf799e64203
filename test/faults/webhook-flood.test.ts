// Attackers in the pod network exhaust the webhook's connections, memory and event loop while a real API server sends
// it CSRs. Each CSR has a different requester, so that every admission needs its own access review.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleService } from '../../build/bundle.ts';
import { Api } from '../support/api.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { startFlood } from '../support/faults/start-flood.ts';
import { CSRS, csrManifest } from '../support/requests.ts';

/** More than the idle connections that an API server keeps to a webhook (25), so that each burst opens new ones. */
const BURST = 32;
const BURST_EVERY_MS = 500;
const MEASURED_MS = 10_000;
/** The API server's histogram of webhook calls: all calls, and those within half a second. */
const ADMISSIONS = /^apiserver_admission_webhook_admission_duration_seconds_(count|bucket)\{(.*)\} (\d+)$/gm;

let dir: string;
let cluster: Cluster;
/** Each has 16 connections to the API server. */
let clients: readonly Api[];
let port: number;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'webhook-flood-'));
  await bundleService('webhook', join(dir, 'webhook'));
  cluster = await startCluster({ webhookBundle: join(dir, 'webhook', 'webhook.mjs') });
  const { adminKubeconfig } = cluster.controlPlane;
  clients = await Promise.all(Array.from({ length: BURST / 16 }, () => Api.fromKubeconfig(adminKubeconfig)));
  port = Number(new URL(cluster.installation.webhookUrl).port);
});
after(async () => {
  await Promise.all((clients ?? []).map(client => client.close()));
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
});

interface Creations {
  readonly milliseconds: number[];
  readonly refusals: string[];
}

async function create(name: string, client: Api, { milliseconds, refusals }: Creations): Promise<void> {
  const start = performance.now();
  const body = csrManifest({ name, signerName: 'issuers.cert-manager.io/sandbox.ca' });
  const as = { user: name, groups: ['system:masters'] };
  const answer = await client.call<{ message?: string }>({ method: 'POST', path: CSRS, body, as });
  milliseconds.push(performance.now() - start);
  if (answer.status !== 201) refusals.push(`${answer.status} ${answer.body.message}`);
}

async function createInBursts(prefix: string): Promise<Creations> {
  const creations: Creations = { milliseconds: [], refusals: [] };
  const bursts: Promise<void>[] = [];
  for (let round = 0; round < MEASURED_MS / BURST_EVERY_MS; round += 1) {
    for (let at = 0; at < BURST; at += 1) {
      const client = clients[at % clients.length];
      if (client !== undefined) bursts.push(create(`${prefix}-${round}-${at}`, client, creations));
    }
    await sleep(BURST_EVERY_MS);
  }
  await Promise.all(bursts);
  return creations;
}

function p99(milliseconds: readonly number[]): number {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY);
}

interface Admissions {
  readonly all: number;
  readonly fast: number;
}

async function countAdmissions(): Promise<Admissions> {
  const text = await cluster.kubectl(['get', '--raw', '/metrics']);
  const rows = [...text.matchAll(ADMISSIONS)].filter(([, , labels]) => labels?.includes('requests.countersign.io'));
  const sum = (isCounted: (kind: string, labels: string) => boolean) =>
    rows.reduce((total, [, kind = '', labels = '', count]) => total + (isCounted(kind, labels) ? Number(count) : 0), 0);
  return {
    all: sum(kind => kind === 'count'),
    fast: sum((kind, labels) => kind === 'bucket' && labels.includes('le="0.5"')),
  };
}

/** Returns the peak resident memory of the webhook. */
async function peakMib(): Promise<number> {
  const [webhook] = cluster.installation.running('webhook');
  const status = await readFile(`/proc/${webhook?.child.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}

const FLOODS = [
  { kind: 'idle', promise: 'idleFlood', connections: 10_000, share: 0.99, mib: 300 },
  { kind: 'bodies', promise: 'bodyFlood', connections: 10_000, share: 0.99, mib: 300 },
  // Parsing blocks the event loop, so the share within half a second depends on the machine and has no lower bound.
  { kind: 'reviews', promise: 'reviewFlood', connections: 16, share: 0, mib: 400 },
] as const;

for (const { kind, promise, connections, ...bounds } of FLOODS) {
  test(`CSRs are created while attackers hold ${connections} connections (${kind})`, { timeout: 60_000 }, async t => {
    const flood = startFlood({ kind, connections, port });
    t.after(() => flood.end());
    await flood.rising;
    const earlier = await countAdmissions();
    const { milliseconds, refusals } = await createInBursts(kind);
    const later = await countAdmissions();
    await flood.end();
    const share = (later.fast - earlier.fast) / (later.all - earlier.all);
    const memory = await peakMib();
    for (const refusal of new Set(refusals)) t.diagnostic(refusal);
    t.diagnostic(`p99 of CSR creation, with everything on this machine: ${p99(milliseconds)} ms`);
    const counts = `${milliseconds.length} created, ${refusals.length} refused`;
    const figure = `${counts}, ${(100 * share).toFixed(1)}% within 500 ms, ${memory} MiB`;
    report(t, promise, figure, refusals.length === 0 && share >= bounds.share && memory < bounds.mib);
  });
}
