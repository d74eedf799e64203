// Measures the peer with the client limits that it ships with. It keeps to them on API servers without priority and
// fairness only, so this has a control plane of its own.

import { createProgress } from '../support/control-plane/progress.ts';
import { createBenchCluster, type World } from './bench-cluster.ts';
import type { Measured, Plan } from './measurements.ts';
import { alternate, compare, drain } from './sides.ts';
import { TARGETS } from './targets.ts';

/** The defaults of cert-manager 1.21. */
const SHIPPED = ['--kube-api-qps=20', '--kube-api-burst=50'];
const NO_PRIORITY = ['--enable-priority-and-fairness=false'];

export async function measureLimits({ programs, isQuick }: World, { runs }: Plan): Promise<Measured> {
  const world = await createBenchCluster(programs, {
    progress: createProgress(),
    apiServerFlags: NO_PRIORITY,
    isQuick,
  });
  try {
    const sides = await alternate(runs, {
      ours: () => drain(world, 'ours', { count: 2_000 }),
      theirs: () => drain(world, 'theirs', { count: 200, peerFlags: SHIPPED }),
    });
    const what = 'throughput, peer limited as shipped (20/s, burst 50), no priority and fairness (certificates/s)';
    return { rows: [compare(what, 'rate', sides, TARGETS.drainVsLimits)] };
  } finally {
    await world.stop();
  }
}
