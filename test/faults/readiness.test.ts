// Checks /readyz of the leader and of the standby while the API server, etcd or the network is frozen, and while the
// cluster is idle.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { report } from '../support/faults/figures.ts';
import { type ProxiedReplicas, startProxiedReplicas } from '../support/faults/replicas.ts';
import { issue } from '../support/requests.ts';

const NOTICED_WITHIN_MS = 20_000;
const WELL_WITHIN_MS = 10_000;
const QUIET_MS = 60_000;
const CONNECTIONS = 10;

let replicas: ProxiedReplicas;
before(async () => {
  replicas = await startProxiedReplicas();
});
after(() => replicas?.stop());

/** Returns the reasons why each replica is not ready; '' if it is ready. */
function readProblems(): Promise<string[]> {
  const read = async (url: string) => {
    const { statusCode, body } = await request(`${url}/readyz`);
    const text = await body.text();
    return statusCode === 200 ? '' : text;
  };
  return Promise.all(replicas.cluster.installation.running('signer').map(({ url }) => read(url)));
}

/** Returns the seconds until the condition is true for each replica, or NaN after the timeout. */
async function secondsUntil(holds: (problems: string) => boolean, withinMs: number): Promise<number> {
  const start = performance.now();
  while (!(await readProblems()).every(holds)) {
    if (performance.now() - start > withinMs) return Number.NaN;
    await sleep(100);
  }
  return Math.round((performance.now() - start) / 100) / 10;
}

function freeze(position: 0 | 1): () => void {
  const pid = replicas.cluster.controlPlane.pids[position];
  if (pid === undefined) throw new Error('the server is not running');
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}

function freezeNetwork(): () => void {
  replicas.proxy.mode = 'freeze';
  return () => replicas.proxy.heal();
}

const FAULTS = [
  { what: 'API server', harm: () => freeze(0) },
  { what: 'etcd', harm: () => freeze(1) },
  { what: 'network', harm: freezeNetwork },
];

test('a signer that cannot read or write is not ready, and recovers soon after', { timeout: 240_000 }, async t => {
  const figures: string[] = [];
  let isKept = true;
  for (const { what, harm } of FAULTS) {
    const heal = harm();
    const noticed = await secondsUntil(problems => problems !== '', NOTICED_WITHIN_MS);
    t.diagnostic(`${what}: ${(await readProblems()).join(' | ')}`);
    heal();
    const well = await secondsUntil(problems => problems === '', WELL_WITHIN_MS);
    await issue(replicas.cluster, {
      name: `after-${what.toLowerCase().replace(' ', '-')}`,
      signerName: replicas.signerName,
    });
    figures.push(`${what} after ${noticed} s, ok after ${well} s`);
    isKept &&= noticed > 0 && well >= 0;
  }
  report(t, 'notReady', figures.join('; '), isKept);
});

test('signers in an idle cluster stay ready and keep their connections', { timeout: 120_000 }, async t => {
  const opened = replicas.proxy.opened;
  const end = performance.now() + QUIET_MS;
  const alarms = new Set<string>();
  while (performance.now() < end) {
    for (const problems of await readProblems()) if (problems !== '') alarms.add(problems);
    await sleep(200);
  }
  const count = replicas.proxy.opened - opened;
  const figure = `${alarms.size} failures, ${count} connections by two signers`;
  t.diagnostic([...alarms].join(' | '));
  report(t, 'quiet', figure, alarms.size === 0 && count <= CONNECTIONS);
});
