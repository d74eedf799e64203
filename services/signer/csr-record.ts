// What the signer keeps of each CertificateSigningRequest that it sees: all that a decision needs of an open one, next to
// nothing of one that is done with or another signer's. Never judges a request.

import { CA } from '@countersign/common/annotations.ts';
import {
  type CertificateSigningRequest,
  isDenied,
  isFailed,
  isIssued,
  type ObjectMeta,
} from '@countersign/common/csr.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { CSR_PATH } from './csr-protobuf.ts';
import { isSignedHere } from './issuance/serial.ts';

/** The field manager of everything that the signer writes (metav1 managedFields). */
export const FIELD_MANAGER = 'countersign-signer';

/** Path of a CSR in the API. Its name may hold all but `/` and `%` (the API server's ValidatePathSegmentName), `?` too. */
export function csrObjectPath(name: string): string {
  return `${CSR_PATH}/${encodeURIComponent(name)}`;
}

export type CsrRecord = CertificateSigningRequest & {
  /** Open: may still have to be signed. Repair: signed by us, but without the `ca` annotation. */
  readonly state: 'open' | 'repair' | 'done';
  /** When this version of the object, or an earlier one with the same approval, reached the signer; ms since 1970. */
  readonly receivedAt: number;
};

/** Whether a certificate of ours is completed with the `ca` annotation; where it is not, there is nothing to repair. */
export interface AnnotationPolicy {
  readonly writeCaAnnotation: boolean;
}

export function toCsrRecord(raw: unknown, receivedAt: number, policy: AnnotationPolicy): CsrRecord {
  const csr = raw as CertificateSigningRequest;
  const state = stateOf(csr, policy);
  if (state === 'done') return { ...stub(csr.metadata), state, receivedAt };
  const kept = { metadata: keepMeta(csr.metadata), spec: csr.spec, state, receivedAt };
  return csr.status === undefined ? kept : { ...kept, status: csr.status };
}

/**
 * Milliseconds from the approval to `now`. The API server stores whole seconds, so that the moment of receipt is the better
 * measure of an approval that came in while the signer was watching.
 */
export function millisecondsSinceApproval(record: CsrRecord, now: number): number {
  const approval = record.status?.conditions?.find(({ type }) => type === 'Approved');
  const stored = Date.parse(approval?.lastUpdateTime ?? approval?.lastTransitionTime ?? '');
  const cameInLive = !(record.receivedAt - stored > 2_000);
  return Math.max(0, now - (cameInLive ? record.receivedAt : stored));
}

function stateOf(csr: CertificateSigningRequest, policy: AnnotationPolicy): CsrRecord['state'] {
  const state = progressOf(csr, policy);
  // The spec last: a listed CSR that is done with need not be read that far.
  if (state === 'done' || !parseSignerName(csr.spec.signerName).ok) return 'done';
  // Only our own certificates are completed: what another signer issued is that signer's.
  return state === 'open' || isSignedHere(csr.status?.certificate ?? '', csr.metadata.uid ?? '') ? state : 'done';
}

function progressOf(csr: CertificateSigningRequest, { writeCaAnnotation }: AnnotationPolicy): CsrRecord['state'] {
  if (isDenied(csr) || isFailed(csr) || csr.metadata.deletionTimestamp !== undefined) return 'done';
  if (!isIssued(csr)) return 'open';
  return !writeCaAnnotation || csr.metadata.annotations?.[CA] !== undefined ? 'done' : 'repair';
}

function stub(metadata: ObjectMeta): CertificateSigningRequest {
  return { metadata: identify(metadata), spec: { signerName: '', request: '' } };
}

function identify({ name, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return { name, ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}

/** Without labels, managed fields and the like. */
function keepMeta(metadata: ObjectMeta): ObjectMeta {
  const { annotations } = metadata;
  return { ...identify(metadata), ...(annotations !== undefined && { annotations }) };
}
