// How the signer's figures grow with the number of requests: each size is drained, kept, and then single requests are timed
// beside it. Compares with nobody.

import { drain, figureOf, signerCommand } from './sides.ts';
import { logFile, type World } from './world.ts';

const SIZES = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];

export interface GrowthPoint {
  readonly count: number;
  /** Certificates per second. */
  readonly rate: number;
  /** Milliseconds of CPU per certificate, events included. */
  readonly cpuMs: number;
  /** After the drain. */
  readonly residentMB: number;
  /** Approval to certificate at 20 a second, with `count` finished requests in the cluster; milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export async function measureGrowth(world: World): Promise<readonly GrowthPoint[]> {
  const points: GrowthPoint[] = [];
  for (const count of SIZES) {
    const drained = await drain(world, 'ours', { count, keep: true });
    const single = await world.drive('latency', {
      count: 100,
      signer: 'clusterissuers.cert-manager.io/ec',
      command: signerCommand(world, 'ours'),
      log: logFile('ours'),
    });
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
  return points;
}
