// The state of a CSR in one word, as `kubectl get csr` has it, and its decision. Pure.

import {
  type CertificateSigningRequest,
  type Condition,
  isApproved,
  isDenied,
  isFailed,
  isIssued,
} from '@countersign/common/csr.ts';

export type CsrState = 'Pending' | 'Approved' | 'Issued' | 'Denied' | 'Failed';

export function stateOf(csr: CertificateSigningRequest): CsrState {
  if (isDenied(csr)) return 'Denied';
  if (isFailed(csr)) return 'Failed';
  if (isIssued(csr)) return 'Issued';
  return isApproved(csr) ? 'Approved' : 'Pending';
}

/** The condition of this type. */
export function conditionOf({ status }: CertificateSigningRequest, type: CsrState): Condition | undefined {
  return status?.conditions?.find(condition => condition.type === type);
}

/** `reason: message` of a condition. */
export function conditionText({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(': ');
}

/** Milliseconds since 1970; undefined if the condition has no time. */
export function conditionTime({ lastUpdateTime, lastTransitionTime }: Condition): number | undefined {
  return Date.parse(lastUpdateTime ?? lastTransitionTime ?? '') || undefined;
}
