// What the approver keeps of each CertificateSigningRequest: everything of one that it may have to decide on, next to
// nothing of the others. Never judges a request.

import { IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import {
  type CertificateSigningRequest,
  isApproved,
  isDenied,
  isFailed,
  isIssued,
  keepIdentity,
  type ObjectMeta,
} from '@countersign/common/csr.ts';
import { validateName } from '@countersign/common/validate-request.ts';
import { isInScope, type SignerScope } from './signer-scope.ts';

/** Of a request that is done, the spec is empty. */
export type ApprovalRecord = CertificateSigningRequest & { readonly state: 'open' | 'done' };

/** Throws for a name that is too long to be kept, as in the signer. */
export function toApprovalRecord(raw: unknown, scope: SignerScope): ApprovalRecord {
  const csr = raw as CertificateSigningRequest;
  const [nameError] = validateName(csr);
  if (nameError !== undefined) throw new Error(nameError.message);
  const { metadata, status } = csr;
  // Checks the spec last: for a finished CSR in a list it need not be decoded.
  if (isDone(csr) || !isInScope(scope, csr.spec.signerName)) {
    return { metadata: keepIdentity(metadata), spec: { signerName: '', request: '' }, state: 'done' };
  }
  return { metadata: keepMeta(metadata), spec: csr.spec, ...(status !== undefined && { status }), state: 'open' };
}

/** Somebody has decided, a person or another approver, or nothing is left to decide. */
function isDone(csr: CertificateSigningRequest): boolean {
  const isDecided = isApproved(csr) || isDenied(csr);
  return isDecided || isFailed(csr) || isIssued(csr) || csr.metadata.deletionTimestamp !== undefined;
}

/** The annotations that shape the certificate. */
function keepMeta(metadata: ObjectMeta): ObjectMeta {
  const { annotations = {} } = metadata;
  const kept = Object.entries(annotations).filter(([key]) => IMMUTABLE_ANNOTATIONS.includes(key));
  return { ...keepIdentity(metadata), ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) };
}
