// What the signer caches of each CertificateSigningRequest: for an open one, exactly what a decision needs, however
// large it is; almost nothing for a finished one or another signer's. Does not validate requests.

import { CA, IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import {
  type CertificateSigningRequest,
  isApproved,
  isDenied,
  isFailed,
  isIssued,
  type ObjectMeta,
} from '@countersign/common/csr.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { validateName } from '@countersign/common/validate-request.ts';
import { MAX_REQUEST_LENGTH } from '@countersign/common/x509/pkcs10.ts';
import { isSignedHere } from '../../issuance/serial.ts';
import type { RecordSettings, RequestRecord } from '../request-kind.ts';
import { CSR_PATH } from './csr-protobuf.ts';

/**
 * Path of a CSR in the API. Its name may contain any character except `/` and `%` (the API server's
 * ValidatePathSegmentName), including `?`.
 */
export function csrObjectPath(name: string): string {
  return `${CSR_PATH}/${encodeURIComponent(name)}`;
}

/** The spec of a finished CSR is empty. */
export type CsrRecord = CertificateSigningRequest & RequestRecord;

/** Throws for a name that is too long to cache: the webhook also refuses it. */
export function toCsrRecord(raw: unknown, receivedAt: number, policy: RecordSettings): CsrRecord {
  const csr = raw as CertificateSigningRequest;
  const [nameError] = validateName(csr);
  if (nameError !== undefined) throw new Error(nameError.message);
  const state = stateOf(csr, policy);
  if (state === 'done') return { ...stub(csr.metadata), ...endOf(csr, receivedAt), state, receivedAt };
  const kept = { metadata: keepMeta(csr.metadata), spec: keepSpec(csr), state, receivedAt };
  return csr.status === undefined ? kept : { ...kept, status: csr.status };
}

/**
 * Milliseconds from the approval to `now`. The API server stores whole seconds, so the time of receipt is more precise
 * for approvals seen live.
 */
export function millisecondsSinceApproval(record: CsrRecord, now: number): number {
  const stored = approvedAt(record);
  const cameInLive = !(record.receivedAt - stored > 2_000);
  return Math.max(0, now - (cameInLive ? record.receivedAt : stored));
}

function approvedAt({ status }: CertificateSigningRequest): number {
  const approval = status?.conditions?.find(({ type }) => type === 'Approved');
  return Date.parse(approval?.lastUpdateTime ?? approval?.lastTransitionTime ?? '');
}

/** How long kube-apiserver keeps an event (--event-ttl). */
const EVENT_TTL_MS = 3_600_000;

/** Almost nothing for an old CSR, since there may be very many. */
function endOf(csr: CertificateSigningRequest, receivedAt: number): { readonly endedAfter?: number } {
  if (!isIssued(csr) && !isFailed(csr)) return {};
  const endedAfter = approvedAt(csr);
  return receivedAt - endedAfter < EVENT_TTL_MS ? { endedAfter } : {};
}

function stateOf(csr: CertificateSigningRequest, policy: RecordSettings): CsrRecord['state'] {
  const state = progressOf(csr, policy);
  // Checks the spec last: for a finished CSR in a list it need not be decoded.
  if (state === 'done' || isForeign(csr)) return 'done';
  // Only certificates that we issued are completed.
  return state === 'open' || isSignedHere(Buffer.from(csr.status?.certificate ?? '', 'base64'), csr.metadata.uid ?? '')
    ? state
    : 'done';
}

/** A malformed name is not foreign: its requester gets a message. */
function isForeign({ spec }: CertificateSigningRequest): boolean {
  const signer = parseSignerName(spec.signerName);
  return !signer.ok && signer.error.kind === 'foreign';
}

function progressOf(csr: CertificateSigningRequest, { writeCaAnnotation }: RecordSettings): CsrRecord['state'] {
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

/** Keeps only the annotations that decisions use. */
function keepMeta(metadata: ObjectMeta): ObjectMeta {
  const known = IMMUTABLE_ANNOTATIONS.flatMap(key => {
    const value = metadata.annotations?.[key];
    return value === undefined ? [] : [[key, copyOf(value, MAX_ANNOTATION)] as const];
  });
  return { ...identify(metadata), ...(known.length > 0 && { annotations: Object.fromEntries(known) }) };
}

/** In characters: longer than any valid value, so a longer value stays invalid when cut. */
const MAX_ANNOTATION = 1_000;

/** The request is not used before approval, and the approval delivers it again. */
function keepSpec(csr: CertificateSigningRequest): CertificateSigningRequest['spec'] {
  const { spec } = csr;
  if (!isApproved(csr)) return { signerName: spec.signerName, request: '' };
  return { ...spec, request: copyOf(spec.request, MAX_REQUEST_LENGTH + 4) };
}

/** Copies the start of the text; a substring would keep the whole string in memory. */
function copyOf(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}
