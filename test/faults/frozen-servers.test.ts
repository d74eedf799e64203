// Freezes the API server or etcd with all connections open, as on a node that swaps. The services must recover
// without help.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { approveAll, createAll, namesOf, settle } from '../support/faults/load.ts';
import { startReplicas } from '../support/faults/replicas.ts';

const FROZEN_MS = 10_000;
const WITHIN_MS = 20_000;
const REQUESTS = 40;

let cluster: Cluster;
let signerName: string;
before(async () => {
  ({ cluster, signerName } = await startReplicas());
});
after(() => cluster?.stop());

const SERVERS = [
  { what: 'API server', promise: 'frozenApiServer', position: 0 },
  { what: 'etcd', promise: 'frozenEtcd', position: 1 },
] as const;

for (const { what, promise, position } of SERVERS) {
  test(`CSRs are signed soon after a frozen ${what} resumes`, { timeout: 120_000 }, async t => {
    const names = namesOf(promise.toLowerCase(), REQUESTS);
    await createAll(cluster, names, signerName);
    const pid = cluster.controlPlane.pids[position];
    if (pid === undefined) throw new Error(`${what} is not running`);
    process.kill(pid, 'SIGSTOP');
    try {
      await sleep(FROZEN_MS);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const start = performance.now();
    await approveAll(cluster, names);
    const { signed, serials } = await settle(cluster, names, WITHIN_MS);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const figure = `${signed} of ${REQUESTS} signed, ${seconds} s after it resumed`;
    report(t, promise, figure, signed === REQUESTS && serials === REQUESTS && Number(seconds) <= WITHIN_MS / 1000);
  });
}
