// The measurements. Each runs both sides and returns rows of the table.

import { measureAdmission } from './admission.ts';
import { measureApproval } from './approval.ts';
import { logFile, type World } from './bench-cluster.ts';
import { measurePods, measureRollout } from './pods.ts';
import { NO_TARGET, type Row, row } from './row.ts';
import {
  alternate,
  bareWrites,
  compare,
  drain,
  IN_FLIGHT,
  instantCommand,
  latency,
  median,
  signerNameOf,
} from './sides.ts';
import { TARGETS } from './targets.ts';

export interface Plan {
  readonly runs: number;
}

export type Measurement = (world: World, plan: Plan) => Promise<readonly Row[]>;

export const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  drain: measureDrain,
  cpu: measureCpu,
  rsa: measureRsa,
  latency: measureLatency,
  pods: measurePods,
  rollout: measureRollout,
  approval: measureApproval,
  admission: measureAdmission,
  // Must be last: it leaves 50 000 CSRs in the cluster.
  old: measureOld,
};

async function measureDrain(world: World, { runs }: Plan): Promise<readonly Row[]> {
  const count = 2_000;
  const { ours, theirs, floor } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count }),
    theirs: () => drain(world, 'theirs', { count }),
    floor: () => bareWrites(world, { count, kind: 'csr' }),
  });
  return [
    compare('throughput, 2 000 approved CSRs, ECDSA CA (certificates/s)', 'rate', { ours, theirs }, TARGETS.drain),
    compare('events written for 2 000 certificates', 'events', { ours, theirs }, NO_TARGET),
    row(
      'throughput vs. bare status writes (per second)',
      median(ours, 'rate'),
      median(floor, 'statusRate'),
      TARGETS.throughputVsWrites,
    ),
    compare('resident memory after 2 000 certificates (MB)', 'residentMB', { ours, theirs }, TARGETS.memoryAfterDrain),
    compare(
      'start to first certificate, 2 000 CSRs pending (ms)',
      'firstMs',
      { ours, theirs },
      TARGETS.firstCertificate,
    ),
  ];
}

async function measureCpu(world: World, { runs }: Plan): Promise<readonly Row[]> {
  const { ours, theirs } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: 10_000 }),
    theirs: () => drain(world, 'theirs', { count: 10_000 }),
  });
  const perCertificate = (figures: typeof ours) => median(figures, 'cpuMs') / median(figures, 'issued');
  return [
    row(
      'CPU per certificate, 10 000 CSRs, including events (ms)',
      perCertificate(ours),
      perCertificate(theirs),
      TARGETS.certificateCpu,
    ),
  ];
}

async function measureRsa(world: World, { runs }: Plan): Promise<readonly Row[]> {
  const { ours, theirs } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: 2_000, key: 'rsa' }),
    theirs: () => drain(world, 'theirs', { count: 2_000, key: 'rsa' }),
  });
  return [
    compare(
      'throughput, 2 000 approved CSRs, RSA-2048 CA (certificates/s)',
      'rate',
      { ours, theirs },
      TARGETS.drainRsa,
    ),
  ];
}

async function measureLatency(world: World, { runs }: Plan): Promise<readonly Row[]> {
  const signer = signerNameOf('csr', 'ec');
  const command = instantCommand(world, signer);
  const { ours, theirs, instant } = await alternate(runs, {
    ours: () => latency(world, 'ours', {}),
    theirs: () => latency(world, 'theirs', {}),
    instant: () => world.drive('latency', { count: 200, rate: 20, signer, command, log: logFile('instant') }),
  });
  const rows = (name: 'p50' | 'p99') => [
    compare(`approval to certificate at 20/s, ${name} (ms)`, name, { ours, theirs }, TARGETS[name]),
    compare(
      `approval to certificate at 20/s vs. one write without signing, ${name} (ms)`,
      name,
      { ours, theirs: instant },
      NO_TARGET,
    ),
  ];
  return [...rows('p50'), ...rows('p99')];
}

/** With 50 000 issued CSRs in the cluster and one approved CSR waiting. */
async function measureOld(world: World, { runs }: Plan): Promise<readonly Row[]> {
  await world.drive('fill', { count: 50_000, parallel: IN_FLIGHT });
  const { ours, theirs } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: 1 }),
    theirs: () => drain(world, 'theirs', { count: 1 }),
  });
  return [
    compare('resident memory, 50 000 CSRs in the cluster (MB)', 'residentMB', { ours, theirs }, TARGETS.memoryWithOld),
    compare(
      'start to first certificate, 50 000 issued CSRs in the cluster (ms)',
      'firstMs',
      { ours, theirs },
      TARGETS.firstCertificateWithOld,
    ),
  ];
}
