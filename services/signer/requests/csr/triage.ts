// The checks on a CSR that need only the CSR (steps 1 to 7 of cert-manager's Sync). Pure.

import { type CertificateSigningRequest, isApproved, isDenied, isFailed, isIssued } from '@countersign/common/csr.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { validateSignerName } from '@countersign/common/validate-request.ts';
import type { Triage } from '../request-kind.ts';

/**
 * What approves automatically does so at once: there, the event would be one write more for each certificate, which
 * delays the approval.
 */
const ANNOUNCE_AFTER_MS = 2_000;

export function triage(csr: CertificateSigningRequest, policy: Pick<RequestPolicy, 'externalIssuers'>): Triage {
  const signer = parseSignerName(csr.spec.signerName, policy.externalIssuers);
  if (!signer.ok && signer.error.kind === 'foreign') return { kind: 'ignore' };
  if (csr.metadata.deletionTimestamp !== undefined || isFailed(csr) || isDenied(csr)) return { kind: 'ignore' };
  if (!signer.ok) return withoutSignerName(csr, policy);
  const ref = signer.value;
  if (!isApproved(csr)) {
    const message = reasons.WaitingApproval.message();
    return { kind: 'wait', reason: 'WaitingApproval', message, ref, announceAfterMs: ANNOUNCE_AFTER_MS };
  }
  return isIssued(csr) ? { kind: 'ignore' } : { kind: 'proceed', ref };
}

/** cert-manager leaves such a CSR pending without an event. Approval would not help, since the spec is immutable. */
function withoutSignerName(csr: CertificateSigningRequest, policy: Pick<RequestPolicy, 'externalIssuers'>): Triage {
  const [error] = validateSignerName(csr, policy);
  if (error === undefined || isIssued(csr)) return { kind: 'ignore' };
  return { kind: 'wait', reason: error.reason, message: error.message };
}
