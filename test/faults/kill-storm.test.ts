// Kills the signers repeatedly while they work. No CSR may be lost or signed twice.

import { after, before, test } from 'node:test';
import type { Cluster } from '../support/cluster.ts';
import { report } from '../support/faults/figures.ts';
import { approveAll, certificatesOf, createAll, namesOf, settle } from '../support/faults/load.ts';
import { startReplicas } from '../support/faults/replicas.ts';

const ROUNDS = 5;
const REQUESTS = 500;
/** The Lease expires after 15 s; the rest is for the work itself on a busy machine. */
const LEASE_MS = 30_000;

let cluster: Cluster;
let signerName: string;
before(async () => {
  ({ cluster, signerName } = await startReplicas());
});
after(() => cluster?.stop());

async function killSigners(): Promise<void> {
  const signers = cluster.installation.running('signer');
  for (const { child } of signers) if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
  await Promise.all(signers.map(({ child }) => child.ended));
  for (const _ of signers) await cluster.installation.start('signer');
}

test('each of 500 CSRs is signed once although signers are killed ten times', { timeout: 280_000 }, async t => {
  const names = namesOf('storm', REQUESTS);
  await createAll(cluster, names, signerName);
  const seen = new Map<string, string>();
  let changed = 0;
  const compare = async () => {
    for (const [name, chain] of await certificatesOf(cluster, names)) {
      if (seen.has(name) && seen.get(name) !== chain) changed += 1;
      seen.set(name, chain);
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const part = names.filter((_, at) => at % ROUNDS === round);
    const approvals = approveAll(cluster, part);
    const isAtWork = async () => ((await certificatesOf(cluster, part)).size > 0 ? true : undefined);
    await cluster.eventually('a signer has issued a certificate', isAtWork, LEASE_MS);
    await killSigners();
    await approvals;
    await compare();
  }
  const { signed, failed, serials } = await settle(cluster, names, LEASE_MS);
  await compare();
  const figure = `${signed} of ${REQUESTS} signed, ${serials} serials, ${changed} replaced, ${failed} failed`;
  report(t, 'killStorm', figure, signed === REQUESTS && serials === REQUESTS && changed === 0);
});
