// Finds the leader among the signer replicas from the Lease and the logs. Read-only.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, KubeObject } from '../cluster.ts';
import { type CsrObject, chainOf } from '../requests.ts';
import type { RunningService } from '../service-process.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/countersign/leases/countersign-signer';
/** A Lease of 15 s, up to 2 s to detect its expiry, and the work itself on a busy machine. */
const TAKEOVER_MS = 25_000;

export interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity: string };
}

export interface LogLine {
  readonly msg: string;
  readonly time: string;
  readonly csr?: string;
  readonly sha256?: string;
  readonly leading?: boolean;
  readonly identity?: string;
  readonly recovered?: boolean;
  readonly err?: { readonly code?: string };
}

export function linesOf({ child }: RunningService): LogLine[] {
  const lines = readFileSync(child.logPath, 'utf8').split('\n');
  return lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as LogLine);
}

/** Returns how many certificates for these CSRs a replica has logged. Faster than reading the CSRs. */
export function countIssued(replica: RunningService, names: readonly string[]): number {
  const isOne = ({ msg, csr = '' }: LogLine) => msg === 'certificate issued' && names.includes(csr);
  return linesOf(replica).filter(isOne).length;
}

export function readLease(cluster: Cluster): Promise<Lease> {
  return cluster.api.get<Lease>(LEASE);
}

/** Returns the replica that holds the Lease. */
export function waitForLeader(cluster: Cluster): Promise<RunningService> {
  const find = async () => {
    const { spec } = await readLease(cluster);
    const replicas = cluster.installation.running('signer');
    return replicas.find(signer => linesOf(signer).some(({ identity }) => identity === spec.holderIdentity));
  };
  return cluster.eventually('a signer is the leader', find, TAKEOVER_MS);
}

/** Returns the Lease soon after `holder` has lost it. */
export function waitForTakeover(cluster: Cluster, holder: string): Promise<Lease> {
  const readIfTaken = async () => {
    const lease = await readLease(cluster);
    return lease.spec.holderIdentity === holder ? undefined : lease;
  };
  return cluster.eventually('another replica holds the Lease', readIfTaken, TAKEOVER_MS);
}

/** The serial of the certificate, as in the audit log. */
export function sha256Of(csr: CsrObject): string {
  return new X509Certificate(chainOf(csr)).fingerprint256.replaceAll(':', '').toLowerCase();
}
