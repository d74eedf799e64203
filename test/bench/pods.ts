// Measures certificates for pods beside those for CSRs, and a rollout of many pods while CSRs arrive.

import { type World } from './bench-cluster.ts';
import { NO_TARGET, type Row, row } from './row.ts';
import { alternate, bareWrites, compare, drain, latency, median, storm } from './sides.ts';
import { TARGETS } from './targets.ts';

const ROLLOUT = 10_000;
/** ServiceAccounts, such as one for each Deployment, that share the pods of the rollout. */
const ACCOUNTS = 10;

export async function measurePods(world: World, { runs }: { readonly runs: number }): Promise<readonly Row[]> {
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
  const perCertificate = (figures: typeof drained.ours) => median(figures, 'cpuMs') / count;
  return [
    compare('throughput, 2 000 pods vs. 2 000 CSRs (certificates/s)', 'rate', drained, TARGETS.podRate),
    row(
      'throughput of pods vs. bare status writes (per second)',
      median(drained.ours, 'rate'),
      median(writes, 'statusRate'),
      NO_TARGET,
    ),
    compare('resident memory after 2 000 pods vs. 2 000 CSRs (MB)', 'residentMB', drained, TARGETS.podMemory),
    row('CPU per pod vs. per CSR (ms)', perCertificate(drained.ours), perCertificate(drained.theirs), NO_TARGET),
    row('request of a pod to certificate at 20/s vs. 10 ms, p50 (ms)', median(single.ours, 'p50'), 10, TARGETS.podP50),
    compare('the same vs. approval of a CSR to certificate, p99 (ms)', 'p99', single, NO_TARGET),
  ];
}

/** With CSRs at 20 a second; `waiting`: all pods have their request when the signer starts. */
export async function measureRollout(world: World, { runs }: { readonly runs: number }): Promise<readonly Row[]> {
  const { live, waiting } = await alternate(runs, {
    live: () => storm(world, { count: ROLLOUT, accounts: ACCOUNTS, isLive: true }),
    waiting: () => storm(world, { count: ROLLOUT, accounts: ACCOUNTS, isLive: false }),
  });
  const during = (figures: typeof live, name: 'p50' | 'p99') =>
    [median(figures, name), median(figures, `rest${name.toUpperCase()}`)] as const;
  return [
    row(
      'rollout of 10 000 pods: all certificates vs. creation of the requests (s)',
      median(live, 'allMs') / 1000,
      median(live, 'createMs') / 1000,
      NO_TARGET,
    ),
    row(
      'access reviews per (issuer, ServiceAccount) and second vs. 1',
      median(waiting, 'reviewsPerPair'),
      1,
      TARGETS.podReviews,
    ),
    row('CSRs at 20/s beside 10 000 waiting pods vs. at rest, p50 (ms)', ...during(waiting, 'p50'), NO_TARGET),
    row(
      'CSRs at 20/s beside 10 000 waiting pods vs. at rest, p99 (ms)',
      ...during(waiting, 'p99'),
      TARGETS.csrBesidePods,
    ),
    row('CSRs at 20/s beside a rollout vs. at rest, p99 (ms)', ...during(live, 'p99'), NO_TARGET),
  ];
}
