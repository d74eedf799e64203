// The Lease (coordination.k8s.io/v1) as an object: what a replica writes into it, and who held it. Reads and
// writes nothing.

import type { ObjectMeta } from '../../csr.ts';

/** The fields that are used; times are RFC 3339 with microseconds (metav1.MicroTime). */
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
  /** The holder: unique to this process. */
  readonly identity: string;
  /** How long a silent holder keeps the Lease; a holder that cannot renew it for two thirds of this time stops. */
  readonly durationMs: number;
}

/** The holder of an expired Lease: it did not release it, and may have left results unreported. */
export interface FormerLeader {
  /** Its last renewal, by its own clock; undefined if it wrote none. */
  readonly renewedAt: Date | undefined;
}

/**
 * The Lease with this replica as its holder; the resourceVersion that was read makes concurrent claims conflict (409).
 */
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

/** The Lease without a holder, free at once. */
export function releaseLease(lease: Lease): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() } };
}

/** The former holder of a Lease that may be taken; a released Lease has none. */
export function formerLeader(lease: Lease | undefined, identity: string): FormerLeader | undefined {
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  if (holderIdentity === '' || holderIdentity === identity) return undefined;
  const renewedAt = new Date(renewTime);
  return { renewedAt: Number.isNaN(renewedAt.getTime()) ? undefined : renewedAt };
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
