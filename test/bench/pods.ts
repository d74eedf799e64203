// Measures certificates for pods beside those for CSRs, and a rollout of many pods while CSRs arrive.

import { type World } from './bench-cluster.ts';
import type { Measured, Plan } from './measurements.ts';
import { NO_TARGET } from './row.ts';
import { alternate, bareWrites, compare, costOf, drain, latency, perCertificate, storm } from './sides.ts';
import { TARGETS } from './targets.ts';

const ROLLOUT = 10_000;
/** One takes a minute and a half. */
const MOST_ROLLOUTS = 3;
/** ServiceAccounts, such as one for each Deployment, that share the pods of the rollout. */
const ACCOUNTS = 10;

export async function measurePods(world: World, { runs }: Plan): Promise<Measured> {
  const count = 2_000;
  const { writes, ...drained } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count, kind: 'pod' }),
    theirs: () => drain(world, 'ours', { count }),
    writes: () => bareWrites(world, { count, kind: 'pod' }),
  });
  const single = await alternate(runs, {
    ours: () => latency(world, 'ours', { kind: 'pod' }),
    theirs: () => latency(world, 'ours', {}),
  });
  const sides = { ours: drained.ours, theirs: drained.theirs };
  const bare = { ours: drained.ours, theirs: writes };
  const first = 'request of a pod to certificate at 20/s vs. 10 ms, p50 (ms)';
  const memory = 'resident memory after 2 000 pods vs. 2 000 CSRs (MB)';
  return {
    rows: [
      compare('throughput, 2 000 pods vs. 2 000 CSRs (certificates/s)', 'rate', sides, TARGETS.podRate),
      compare('throughput of pods vs. bare status writes (per second)', ['rate', 'statusRate'], bare, NO_TARGET),
      compare(memory, 'residentMB', sides, TARGETS.podMemory),
      compare('CPU per pod vs. per CSR (ms)', perCertificate('cpuMs'), sides, NO_TARGET),
      compare(first, ['p50', () => 10], { ours: single.ours, theirs: single.ours }, TARGETS.podP50),
      compare('the same vs. approval of a CSR to certificate, p99 (ms)', 'p99', single, NO_TARGET),
    ],
    costs: [costOf('pod, CA Issuer', drained.ours)],
  };
}

/** With CSRs at 20 a second; `waiting`: all pods have their request when the signer starts. */
export async function measureRollout(world: World, { runs }: Plan): Promise<Measured> {
  const { live, waiting } = await alternate(Math.min(runs, MOST_ROLLOUTS), {
    live: () => storm(world, { count: ROLLOUT, accounts: ACCOUNTS, isLive: true }),
    waiting: () => storm(world, { count: ROLLOUT, accounts: ACCOUNTS, isLive: false }),
  });
  const inLive = { ours: live, theirs: live };
  const inWaiting = { ours: waiting, theirs: waiting };
  const rollout = 'rollout of 10 000 pods: all certificates vs. creation of the requests (ms)';
  const beside = 'CSRs at 20/s beside 10 000 waiting pods vs. at rest';
  const reviews = 'access reviews per (issuer, ServiceAccount) and second vs. 1';
  return {
    rows: [
      compare(rollout, ['allMs', 'createMs'], inLive, NO_TARGET),
      compare(reviews, ['reviewsPerPair', () => 1], inWaiting, TARGETS.podReviews),
      compare(`${beside}, p50 (ms)`, ['p50', 'restP50'], inWaiting, NO_TARGET),
      compare(`${beside}, p99 (ms)`, ['p99', 'restP99'], inWaiting, TARGETS.csrBesidePods),
      compare('CSRs at 20/s beside a rollout vs. at rest, p99 (ms)', ['p99', 'restP99'], inLive, NO_TARGET),
    ],
  };
}
