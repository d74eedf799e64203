// Measures CSRs that the approver approves by policy while the signer signs them, beside the signer alone.

import { POLICY_API_VERSION, POLICY_KIND } from '@countersign/common/approval/policy/approval-policy.ts';
import { type World } from './bench-cluster.ts';
import type { Measured, Plan } from './measurements.ts';
import { NO_TARGET } from './row.ts';
import { alternate, compare, costOf, drain, perCertificate } from './sides.ts';
import { TARGETS } from './targets.ts';

const COUNT = 1_000;
const POLICIES = 100;

/** All select each request, and one allows it, so that all are evaluated. */
export async function measureApproval(world: World, { runs }: Plan): Promise<Measured> {
  const policies = Array.from({ length: POLICIES }, (_, index) => policy(index));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: policies });
  await world.kubectl(['apply', '-f', '-'], list);
  const { ours, alone, driver } = await alternate(runs, {
    ours: () => drain(world, 'ours', { count: COUNT, approvedBy: 'approver' }),
    alone: () => drain(world, 'ours', { count: COUNT }),
    driver: () => drain(world, 'ours', { count: COUNT, approvedBy: 'driver' }),
  });
  await world.kubectl(['delete', '-f', '-', '--wait=false'], list);
  const what = `1 000 CSRs approved by policy (${POLICIES}) and signed`;
  const cpu = 'CPU of the approver per CSR vs. of the signer (ms)';
  const figures = [perCertificate('besideCpuMs'), perCertificate('cpuMs')] as const;
  return {
    rows: [
      compare(`${what} vs. approved before (certificates/s)`, 'rate', { ours, theirs: alone }, TARGETS.approvalRate),
      compare(`${what} vs. approved by a Go client (certificates/s)`, 'rate', { ours, theirs: driver }, NO_TARGET),
      compare(cpu, figures, { ours, theirs: ours }, NO_TARGET),
    ],
    costs: [costOf('CSR, CA ClusterIssuer, approver included', ours)],
  };
}

function policy(index: number) {
  const own = index === POLICIES - 1 ? 'bench.example.com' : `team-${index}.example.com`;
  return {
    apiVersion: POLICY_API_VERSION,
    kind: POLICY_KIND,
    metadata: { name: `bench-${String(index).padStart(3, '0')}` },
    spec: {
      signerNames: ['clusterissuers.cert-manager.io/ec'],
      subjects: [{ kind: 'Group', name: 'system:authenticated' }],
      allowed: {
        commonName: { value: 'bench' },
        dnsNames: { values: [own] },
        usages: ['digital signature', 'key encipherment', 'server auth'],
      },
    },
  };
}
