// What an operator may demand of requests beyond what cert-manager does. Webhook and signer must be told the same, for what is
// admitted never fails later for its shape. Names and values only; judges nothing.

import type { Nanoseconds } from './duration.ts';

export interface RequestPolicy {
  /** The longest that a certificate may be asked for, and what one gets at most that asks for no duration; undefined: any. */
  readonly maxDuration: Nanoseconds | undefined;
  /** Whether a ClusterIssuer, too, is only for those whom RBAC lets reference it; else it is for all who may create CSRs. */
  readonly authorizeClusterIssuers: boolean;
  /** Whether a request is refused for a name that the CA, or one above it, may not sign by its X.509 name constraints. */
  readonly honourNameConstraints: boolean;
}

/** Demands nothing: what cert-manager would sign is signed. */
export const NO_DEMANDS: RequestPolicy = {
  maxDuration: undefined,
  authorizeClusterIssuers: false,
  honourNameConstraints: false,
};
