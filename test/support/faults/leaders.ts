// Which replica of the signer leads, by the Lease and by what the replicas logged. Reads only.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, KubeObject } from '../cluster.ts';
import { type CsrObject, chainOf } from '../requests.ts';
import type { RunningService } from '../service-process.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/countersign/leases/countersign-signer';
/** A Lease of 15 s, up to 2 s until its renewal is seen, and the work itself on a machine under load. */
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

/** How many certificates for these CSRs it has logged: quicker to read than the CSRs. */
export function countIssued(replica: RunningService, names: readonly string[]): number {
  const isOne = ({ msg, csr = '' }: LogLine) => msg === 'certificate issued' && names.includes(csr);
  return linesOf(replica).filter(isOne).length;
}

export function readLease(cluster: Cluster): Promise<Lease> {
  return cluster.api.get<Lease>(LEASE);
}

/** The replica whose identity the Lease has. */
export function whenLed(cluster: Cluster): Promise<RunningService> {
  const find = async () => {
    const { spec } = await readLease(cluster);
    const replicas = cluster.installation.running('signer');
    return replicas.find(signer => linesOf(signer).some(({ identity }) => identity === spec.holderIdentity));
  };
  return cluster.eventually('a signer leads', find, TAKEOVER_MS);
}

/** The Lease as it is soon after `holder` has lost it. */
export function whenTakenFrom(cluster: Cluster, holder: string): Promise<Lease> {
  const look = async () => {
    const lease = await readLease(cluster);
    return lease.spec.holderIdentity === holder ? undefined : lease;
  };
  return cluster.eventually('the Lease is taken', look, TAKEOVER_MS);
}

/** Of the certificate, as the audit trail has it. */
export function sha256Of(csr: CsrObject): string {
  return new X509Certificate(chainOf(csr)).fingerprint256.replaceAll(':', '').toLowerCase();
}
