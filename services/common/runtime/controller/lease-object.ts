// The Lease (coordination.k8s.io/v1) as an object: what a replica writes into it, and what it tells of who held it. Reads and
// writes nothing itself.

import type { ObjectMeta } from '../../csr.ts';

/** As far as it is used; times are RFC 3339 with microseconds (metav1.MicroTime). */
export interface Lease {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface Claimant {
  readonly namespace: string;
  readonly name: string;
  /** Who holds the lease: unique to this process. */
  readonly identity: string;
  /** How long a silent holder keeps the lease; a holder that could not renew for two thirds of it stops on its own. */
  readonly durationMs: number;
}

/** Whose lease ran out: it did not hand over, and may have left things unreported. */
export interface FormerLeader {
  /** When it renewed the lease for the last time, by its own clock; undefined if it did not write that. */
  readonly renewedAt: Date | undefined;
}

/** The lease in this replica's name; the resourceVersion of what was read makes two takers conflict (409). */
export function claimLease(lease: Lease | undefined, { identity, name, namespace, durationMs }: Claimant): Lease {
  const now = microTime();
  const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease?.spec ?? {};
  const isRenewal = holderIdentity === identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: lease?.metadata ?? { name, namespace },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: isRenewal && acquireTime !== undefined ? acquireTime : now,
      renewTime: now,
      leaseTransitions: isRenewal || lease === undefined ? leaseTransitions : leaseTransitions + 1,
    },
  };
}

/** The lease without a holder, free at once. */
export function releaseLease(lease: Lease): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() } };
}

/** Of a lease that may be taken: one that was given up has no holder. */
export function formerLeader(lease: Lease | undefined, identity: string): FormerLeader | undefined {
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  if (holderIdentity === '' || holderIdentity === identity) return undefined;
  const renewedAt = new Date(renewTime);
  return { renewedAt: Number.isNaN(renewedAt.getTime()) ? undefined : renewedAt };
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
