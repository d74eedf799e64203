// Strangers in the pod network who spend the webhook's connections, memory and event loop, while a real API server asks it about
// CSRs, each of another requester: every admission is an access review of its own.

import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../support/api.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { startFlood } from '../support/faults/start-flood.ts';
import { CSRS, csrManifest } from '../support/requests.ts';

/** More than the idle connections that an API server keeps to a webhook (25), so that each burst dials some anew. */
const BURST = 32;
const BURST_EVERY_MS = 500;
const MEASURED_MS = 10_000;
const MAX_MS = 500;
const MAX_MIB = 300;

let cluster: Cluster;
/** Each has 16 connections to the API server. */
let clients: readonly Api[];
let port: number;
before(async () => {
  cluster = await startCluster();
  const { adminKubeconfig } = cluster.controlPlane;
  clients = await Promise.all(Array.from({ length: BURST / 16 }, () => Api.fromKubeconfig(adminKubeconfig)));
  port = Number(new URL(cluster.installation.webhookUrl).port);
});
after(async () => {
  await Promise.all((clients ?? []).map(client => client.close()));
  await cluster?.stop();
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

/** The largest resident set that the webhook has had. */
async function peakMib(): Promise<number> {
  const [webhook] = cluster.installation.running('webhook');
  const status = await readFile(`/proc/${webhook?.child.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}

const FLOODS = [
  { kind: 'idle', promise: 'idleFlood', connections: 10_000 },
  { kind: 'bodies', promise: 'bodyFlood', connections: 10_000 },
  { kind: 'reviews', promise: 'reviewFlood', connections: 16 },
] as const;

for (const { kind, promise, connections } of FLOODS) {
  test(`CSRs are created while strangers hold ${connections} connections (${kind})`, { timeout: 60_000 }, async t => {
    const endFlood = startFlood({ kind, connections, port });
    t.after(endFlood);
    await sleep(3_000);
    const { milliseconds, refusals } = await createInBursts(kind);
    await endFlood();
    const [slowest, memory] = [p99(milliseconds), await peakMib()];
    const figure = `${milliseconds.length} created, ${refusals.length} refused, p99 ${slowest} ms, ${memory} MiB`;
    for (const refusal of new Set(refusals)) t.diagnostic(refusal);
    report(t, promise, figure, refusals.length === 0 && slowest <= MAX_MS && memory < MAX_MIB);
  });
}
