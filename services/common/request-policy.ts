// What an operator requires of requests beyond cert-manager. Webhook and signer must have the same policy, so that an
// admitted request never fails later for its shape. Data only.

import type { Nanoseconds } from './duration.ts';
import type { IssuerResource } from './signer-name.ts';

export interface RequestPolicy {
  /** Maximum requested duration, and the cap on the default; undefined means no limit. */
  readonly maxDuration: Nanoseconds | undefined;
  /**
   * Whether using a ClusterIssuer requires the RBAC permission to reference it; otherwise anyone who may create CSRs
   * can use it.
   */
  readonly authorizeClusterIssuers: boolean;
  /** Whether to deny names that the X.509 name constraints of the CA, or of a CA above it, do not permit. */
  readonly honourNameConstraints: boolean;
  /** Whether cert-manager issues for issuers of types that Countersign has no key for (ACME, Venafi). */
  readonly delegates: boolean;
  /** The external types whose issuers are delegated to too: all other signer names belong to other signers. */
  readonly externalIssuers: readonly IssuerResource[];
}

/** Requires nothing: what cert-manager signs is signed. */
export const PERMISSIVE_POLICY: RequestPolicy = {
  maxDuration: undefined,
  authorizeClusterIssuers: false,
  honourNameConstraints: false,
  delegates: false,
  externalIssuers: [],
};
