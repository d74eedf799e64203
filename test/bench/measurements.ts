// The measurements. Each runs both sides and returns rows of the table.

import { measureAdmission, measureWebhookMemory } from './admission.ts';
import { measureApproval } from './approval.ts';
import { logFile, type World } from './bench-cluster.ts';
import { type GrowthPoint, measureGrowth } from './growth.ts';
import { measureLimits } from './limits.ts';
import { measurePods, measureRollout } from './pods.ts';
import { NO_TARGET, type Row } from './row.ts';
import {
  alternate,
  bareWrites,
  type Cost,
  compare,
  costOf,
  drain,
  IN_FLIGHT,
  instantCommand,
  latency,
  perCertificate,
  signerNameOf,
} from './sides.ts';
import { TARGETS } from './targets.ts';
import { measureVault } from './vault.ts';

export interface Plan {
  /** Number of alternating runs. */
  readonly runs: number;
}

export interface Measured {
  readonly rows: readonly Row[];
  readonly costs?: readonly Cost[];
  readonly growth?: readonly GrowthPoint[];
}

export type Measurement = (world: World, plan: Plan) => Promise<Measured>;

export const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  drain: measureDrain,
  rsa: measureRsa,
  cpu: measureCpu,
  limits: measureLimits,
  latency: measureLatency,
  pods: measurePods,
  rollout: measureRollout,
  approval: measureApproval,
  vault: measureVault,
  admission: measureAdmission,
  webhook: measureWebhookMemory,
  growth: measureGrowth,
  // Must be last: it leaves 50 000 CSRs in the cluster.
  old: measureOld,
};

async function measureDrain(world: World, { runs }: Plan): Promise<Measured> {
  const count = 2_000;
  const { ours, theirs, floor } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count }),
    theirs: () => drain(world, 'theirs', { count }),
    floor: () => bareWrites(world, { count, kind: 'csr' }),
  });
  const sides = { ours, theirs };
  const writes = { ours, theirs: floor };
  return {
    rows: [
      compare('throughput, 2 000 approved CSRs, ECDSA CA (certificates/s)', 'rate', sides, TARGETS.drain),
      compare('events written for 2 000 certificates', 'events', sides, NO_TARGET),
      compare('throughput vs. bare status writes (per second)', ['rate', 'statusRate'], writes, TARGETS.drainVsWrites),
      compare('resident memory after 2 000 certificates (MB)', 'residentMB', sides, TARGETS.memoryAfterDrain),
      compare('start to first certificate, 2 000 CSRs pending (ms)', 'firstMs', sides, TARGETS.firstCertificate),
    ],
    costs: [costOf('CSR, CA ClusterIssuer', ours), costOf("CSR, CA ClusterIssuer, cert-manager's controller", theirs)],
  };
}

/** The peer drops events while 1 000 wait to be written; with eight recorders, it drops none of 5 000. */
async function measureCpu(world: World, { runs }: Plan): Promise<Measured> {
  const load = { count: 5_000, peerFlags: ['--event-recorders=8'] };
  const sides = await alternate(runs, {
    ours: () => drain(world, 'ours', load),
    theirs: () => drain(world, 'theirs', load),
  });
  const what = 'CPU per certificate, 5 000 CSRs, all events written, start included (ms)';
  return {
    rows: [
      compare(what, perCertificate('cpuMs'), sides, TARGETS.certificateCpu),
      compare('events written for 5 000 certificates', 'events', sides, NO_TARGET),
    ],
  };
}

async function measureRsa(world: World, { runs }: Plan): Promise<Measured> {
  const sides = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: 1_000, key: 'rsa' }),
    theirs: () => drain(world, 'theirs', { count: 1_000, key: 'rsa' }),
  });
  const what = 'throughput, 1 000 approved CSRs, RSA-2048 CA (certificates/s)';
  return { rows: [compare(what, 'rate', sides, TARGETS.drainRsa)] };
}

async function measureLatency(world: World, { runs }: Plan): Promise<Measured> {
  const signer = signerNameOf({});
  const command = instantCommand(world, signer);
  const { ours, theirs, instant } = await alternate(runs, {
    ours: () => latency(world, 'ours', {}),
    theirs: () => latency(world, 'theirs', {}),
    instant: () => world.drive('latency', { count: 200, rate: 20, signer, command, log: logFile('instant') }),
  });
  const sides = { ours, theirs };
  const writes = { ours, theirs: instant };
  const what = 'approval to certificate at 20/s';
  const bare = `${what} vs. one write without signing`;
  return {
    rows: [
      compare(`${what}, p50 (ms)`, 'p50', sides, TARGETS.p50),
      compare(`${bare}, p50 (ms)`, 'p50', writes, TARGETS.p50VsWrite),
      compare(`${what}, p99 (ms)`, 'p99', sides, TARGETS.p99),
      compare(`${bare}, p99 (ms)`, 'p99', writes, TARGETS.p99VsWrite),
      compare('CPU of these 200 certificates, start included (ms)', 'cpuMs', sides, TARGETS.latencyCpu),
    ],
  };
}

/** With 50 000 issued CSRs in the cluster and one approved CSR waiting. */
async function measureOld(world: World, { runs }: Plan): Promise<Measured> {
  await world.drive('fill', { count: 50_000, parallel: IN_FLIGHT });
  const sides = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: 1 }),
    theirs: () => drain(world, 'theirs', { count: 1 }),
  });
  const first = 'start to first certificate, 50 000 issued CSRs in the cluster (ms)';
  return {
    rows: [
      compare('resident memory, 50 000 CSRs in the cluster (MB)', 'residentMB', sides, TARGETS.memoryWithOld),
      compare(first, 'firstMs', sides, TARGETS.firstCertificateWithOld),
    ],
  };
}
