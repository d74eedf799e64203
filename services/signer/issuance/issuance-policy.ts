// What an operator may have done otherwise than cert-manager does it when a certificate is made. Names and values only. Pure.

import { NO_DEMANDS, type RequestPolicy } from '@countersign/common/request-policy.ts';

export interface IssuancePolicy extends RequestPolicy {
  /** Whether a certificate ends with the CA that signs it, where it would end later (RFC 5280 section 4.1.2.5). */
  readonly clampToCa: boolean;
  /** Whether requests wait while the certificate of the CA has ended; with clampToCa they do anyway. */
  readonly refuseExpiredCa: boolean;
  /** How far before the signature a certificate begins, for clocks that are behind, in milliseconds; it ends no sooner for it. */
  readonly backdate: number;
  /** Whether certificates of no CA, too, carry their key's identifier (RFC 5280 section 4.2.1.2: "SHOULD"). */
  readonly leafKeyIdentifier: boolean;
  /** Whether the chain in status.certificate ends with the CA's root, where that is known. */
  readonly rootInChain: boolean;
}

/** What cert-manager does. */
export const AS_CERT_MANAGER: IssuancePolicy = {
  ...NO_DEMANDS,
  clampToCa: false,
  refuseExpiredCa: false,
  backdate: 0,
  leafKeyIdentifier: false,
  rootInChain: false,
};
