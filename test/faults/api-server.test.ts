// A signer whose API server, etcd or network fails, through a proxy that breaks connections as networks do.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faults/fault-proxy.ts';
import { report } from '../support/faults/figures.ts';
import { createAndApprove, forEach, listSigned, names, untilIssued } from '../support/faults/load.ts';
import { readPki } from '../support/pki.ts';
import { approve, chainOf, createCsr, whenIssued } from '../support/requests.ts';

const FAULT_MS = 10_000;
const RECOVERY_MS = 20_000;
let cluster: Cluster;
let proxy: FaultProxy;
let signerName: string;
before(async () => {
  const onProxy = async (url: string) => {
    proxy = await FaultProxy.start(url);
    return proxy.url;
  };
  // The longest lease of the replica alone would hide the fault behind a failover.
  cluster = await startCluster({ signerUrl: onProxy });
  signerName = await cluster.createCaIssuer(
    { name: 'root' },
    { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') },
  );
  await cluster.whenReady({ name: 'root' });
});
after(async () => {
  await cluster?.stop();
  await proxy?.stop();
});

/** Milliseconds from the end of the fault to the certificate of a request that was approved during it, or just after it. */
async function recover(name: string, begin: () => void, end: () => void, isApiServerUp: boolean): Promise<number> {
  begin();
  try {
    if (isApiServerUp) await createAndApprove(cluster, name, signerName);
    await sleep(FAULT_MS);
  } finally {
    end();
  }
  const start = performance.now();
  if (!isApiServerUp) {
    await cluster.eventually(
      `${name} is created`,
      () => createCsr(cluster, { name, signerName }).catch(() => undefined),
      RECOVERY_MS,
    );
    await approve(cluster, name);
  }
  await untilIssued(cluster, name, 2 * RECOVERY_MS);
  return performance.now() - start;
}

const inSeconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

for (const [id, index] of [
  ['etcd-frozen', 0],
  ['api-server-frozen', 1],
] as const) {
  test(`a frozen ${id.replace('-frozen', '')} delays a request, and no more`, async t => {
    const pid = cluster.controlPlane.pids[index];
    assert.ok(pid);
    const signal = (name: NodeJS.Signals) => () => void process.kill(pid, name);
    const took = await recover(id, signal('SIGSTOP'), signal('SIGCONT'), false);
    report(t, id, inSeconds(took), took <= RECOVERY_MS);
  });
}

test('half-open connections delay a request, and no more', async t => {
  const took = await recover(
    'half-open',
    () => (proxy.mode = 'freeze'),
    () => (proxy.mode = 'pass'),
    true,
  );
  report(t, 'half-open', inSeconds(took), took <= RECOVERY_MS);
});

async function signThrough(prefix: string, count: number, hurt: () => void): Promise<number> {
  const all = names(prefix, count);
  const timer = setInterval(hurt, 200);
  try {
    await forEach(all, name => createAndApprove(cluster, name, signerName));
    await sleep(1_000);
  } finally {
    clearInterval(timer);
    proxy.truncateAfter = Number.POSITIVE_INFINITY;
  }
  await forEach(all, name => whenIssued(cluster, name, 2 * RECOVERY_MS));
  const signed = await listSigned(cluster, prefix);
  return new Set(signed.map(csr => new X509Certificate(chainOf(csr)).serialNumber)).size;
}

test('connections that are cut again and again lose no request', async t => {
  const serials = await signThrough('cut', 100, () => proxy.cut());
  report(t, 'connections-cut', `${serials} of 100`, serials === 100);
});

test('answers that are cut off lose no request', async t => {
  proxy.truncateAfter = 20_000;
  proxy.cut();
  const serials = await signThrough('truncated', 100, () => undefined);
  report(t, 'truncated', `${serials} of 100`, serials === 100);
});

test('a slow network delays a request by its round trips', async t => {
  proxy.delayMs = 100;
  await createCsr(cluster, { name: 'slow', signerName });
  const start = performance.now();
  await approve(cluster, 'slow');
  await untilIssued(cluster, 'slow', RECOVERY_MS);
  const took = performance.now() - start;
  proxy.delayMs = 0;
  report(t, 'slow', inSeconds(took), took <= 2_000);
});
