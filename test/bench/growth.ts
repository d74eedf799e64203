// Measures how throughput, latency, CPU and memory of the signer grow with the number of CSRs. For each size it issues
// all CSRs, keeps them, and then measures the latency of single CSRs.

import { type World } from './bench-cluster.ts';
import type { Measured } from './measurements.ts';
import { drain, figureOf, latency } from './sides.ts';

const SIZES = [1_000, 2_000, 4_000, 8_000, 16_000];

export interface GrowthPoint {
  readonly count: number;
  /** Certificates per second. */
  readonly rate: number;
  /** Milliseconds of CPU per certificate, including events. */
  readonly cpuMs: number;
  /** After all certificates are issued. */
  readonly residentMB: number;
  /**
   * Latency from approval to certificate in milliseconds, at 20 per second, with `count` issued CSRs in the cluster.
   */
  readonly p50: number;
  readonly p99: number;
}

export async function measureGrowth(world: World): Promise<Measured> {
  const points: GrowthPoint[] = [];
  for (const count of SIZES) {
    const drained = await drain(world, 'ours', { count, keep: true });
    const single = await latency(world, 'ours', { count: 100 });
    points.push({
      count,
      rate: figureOf(drained, 'rate'),
      cpuMs: figureOf(drained, 'cpuMs') / count,
      residentMB: figureOf(drained, 'residentMB'),
      p50: figureOf(single, 'p50'),
      p99: figureOf(single, 'p99'),
    });
    process.stderr.write(`  ${JSON.stringify(points.at(-1))}\n`);
    await world.drive('clear');
  }
  return { rows: [], growth: points };
}
