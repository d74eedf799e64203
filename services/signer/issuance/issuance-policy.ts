// Operator settings that make certificates differ from cert-manager's. Names and values only. Pure.

import { PERMISSIVE_POLICY, type RequestPolicy } from '@countersign/common/request-policy.ts';

export interface IssuancePolicy extends RequestPolicy {
  /** Whether to limit notAfter to that of the CA (RFC 5280 section 4.1.2.5). */
  readonly clampToCa: boolean;
  /** Whether requests wait while the CA is expired; implied by clampToCa. */
  readonly refuseExpiredCa: boolean;
  /** How far to backdate notBefore, in milliseconds, to allow for clock skew. Does not change notAfter. */
  readonly backdate: number;
  /** Whether leaf certificates also carry a subjectKeyIdentifier (RFC 5280 section 4.2.1.2: "SHOULD"). */
  readonly leafKeyIdentifier: boolean;
  /** Whether to append the CA's root to status.certificate, if known. */
  readonly rootInChain: boolean;
}

/** cert-manager's behaviour. */
export const AS_CERT_MANAGER: IssuancePolicy = {
  ...PERMISSIVE_POLICY,
  clampToCa: false,
  refuseExpiredCa: false,
  backdate: 0,
  leafKeyIdentifier: false,
  rootInChain: false,
};
