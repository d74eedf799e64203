// What the signer keeps of each CertificateSigningRequest that it sees: all that a decision needs of an open one, and no more
// than that, however large it is; next to nothing of one that is done with or another signer's. Never judges a request.

import { CA, LOCKED_ANNOTATIONS } from '@countersign/common/annotations.ts';
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

/** Path of a CSR in the API. Its name may hold all but `/` and `%` (the API server's ValidatePathSegmentName), `?` too. */
export function csrObjectPath(name: string): string {
  return `${CSR_PATH}/${encodeURIComponent(name)}`;
}

/** Of a CSR that is done with, the spec is empty. */
export type CsrRecord = CertificateSigningRequest & RequestRecord;

/** Throws for a name that is too long to be kept: the webhook refuses it, too. */
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
 * Milliseconds from the approval to `now`. The API server stores whole seconds, so that the moment of receipt is the better
 * measure of an approval that came in while the signer was watching.
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

/** As long as kube-apiserver keeps an event (--event-ttl). */
const EVENT_TTL_MS = 3_600_000;

/** Next to nothing for an old CSR, of which there may be very many. */
function endOf(csr: CertificateSigningRequest, receivedAt: number): { readonly endedAfter?: number } {
  if (!isIssued(csr) && !isFailed(csr)) return {};
  const endedAfter = approvedAt(csr);
  return receivedAt - endedAfter < EVENT_TTL_MS ? { endedAfter } : {};
}

function stateOf(csr: CertificateSigningRequest, policy: RecordSettings): CsrRecord['state'] {
  const state = progressOf(csr, policy);
  // The spec last: a listed CSR that is done with need not be read that far.
  if (state === 'done' || isForeign(csr)) return 'done';
  // Only our own certificates are completed: what another signer issued is that signer's.
  return state === 'open' || isSignedHere(Buffer.from(csr.status?.certificate ?? '', 'base64'), csr.metadata.uid ?? '')
    ? state
    : 'done';
}

/** Not so a name that no issuer can match: the requester gets a message. */
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

/** Of the annotations, those that a decision looks at. */
function keepMeta(metadata: ObjectMeta): ObjectMeta {
  const known = LOCKED_ANNOTATIONS.flatMap(key => {
    const value = metadata.annotations?.[key];
    return value === undefined ? [] : [[key, copyOf(value, MAX_ANNOTATION)] as const];
  });
  return { ...identify(metadata), ...(known.length > 0 && { annotations: Object.fromEntries(known) }) };
}

/** Characters: more than any of them can have to be of use, so that a longer one stays as wrong as it is. */
const MAX_ANNOTATION = 1_000;

/** Nobody looks at the request before it is approved, and then it comes again. */
function keepSpec(csr: CertificateSigningRequest): CertificateSigningRequest['spec'] {
  const { spec } = csr;
  if (!isApproved(csr)) return { signerName: spec.signerName, request: '' };
  return { ...spec, request: copyOf(spec.request, MAX_REQUEST_LENGTH + 4) };
}

/** As much of the text; a part of it would hold on to the whole. */
function copyOf(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}
