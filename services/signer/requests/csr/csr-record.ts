// What the signer caches of each CertificateSigningRequest: for an open one, exactly what a decision needs, however
// large it is; almost nothing for a finished one or another signer's. Does not validate requests.

import { CA, IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import { keepText } from '@countersign/common/bounded-text.ts';
import {
  type CertificateSigningRequest,
  isApproved,
  isDenied,
  isFailed,
  isIssued,
  keepIdentity,
  type ObjectMeta,
} from '@countersign/common/csr.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { validateName } from '@countersign/common/validate-request.ts';
import { MAX_REQUEST_LENGTH } from '@countersign/common/x509/pkcs10.ts';
import { hasDerivedSerial } from '../../issuance/serial.ts';
import type { RecordSettings, RequestRecord } from '../request-kind.ts';
import { endedRecently, millisecondsSince } from '../request-times.ts';

/** The spec of a finished CSR is empty. */
export type CsrRecord = CertificateSigningRequest & RequestRecord;

/** Throws for a name that is too long to cache: the webhook also refuses it. */
export function toCsrRecord(raw: unknown, receivedAt: number, settings: RecordSettings): CsrRecord {
  const csr = raw as CertificateSigningRequest;
  const [nameError] = validateName(csr);
  if (nameError !== undefined) throw new Error(nameError.message);
  const state = stateOf(csr, settings);
  if (state === 'done') return { ...stub(csr.metadata), ...endOf(csr, receivedAt), state, receivedAt };
  const labels = settings.policy.delegates ? keepLabels(csr) : {};
  const kept = { metadata: { ...keepMeta(csr.metadata), ...labels }, spec: keepSpec(csr), state, receivedAt };
  return csr.status === undefined ? kept : { ...kept, status: csr.status };
}

/** Milliseconds from the approval to `now`. */
export function millisecondsSinceApproval(record: CsrRecord, now: number): number {
  return millisecondsSince(approvedAt(record), record.receivedAt, now);
}

function approvedAt({ status }: CertificateSigningRequest): number {
  const approval = status?.conditions?.find(({ type }) => type === 'Approved');
  return Date.parse(approval?.lastUpdateTime ?? approval?.lastTransitionTime ?? '');
}

/** Almost nothing for an old CSR, since there may be very many. */
function endOf(csr: CertificateSigningRequest, receivedAt: number): { readonly endedAfter?: number } {
  if (!isIssued(csr) && !isFailed(csr)) return {};
  return endedRecently(approvedAt(csr), receivedAt);
}

function stateOf(csr: CertificateSigningRequest, settings: RecordSettings): CsrRecord['state'] {
  const state = progressOf(csr, settings);
  // Checks the spec last: for a finished CSR in a list it need not be decoded.
  if (state === 'done' || isForeign(csr, settings)) return 'done';
  // Only certificates that we issued are completed; who signed them is verified then.
  const certificate = Buffer.from(csr.status?.certificate ?? '', 'base64');
  return state === 'open' || hasDerivedSerial(certificate, csr.metadata.uid ?? '') ? state : 'done';
}

/** A malformed name is not foreign: its requester gets a message. */
function isForeign({ spec }: CertificateSigningRequest, { policy }: RecordSettings): boolean {
  const signer = parseSignerName(spec.signerName, policy.externalIssuers);
  return !signer.ok && signer.error.kind === 'foreign';
}

function progressOf(csr: CertificateSigningRequest, { writeCaAnnotation }: RecordSettings): CsrRecord['state'] {
  if (isDenied(csr) || isFailed(csr) || csr.metadata.deletionTimestamp !== undefined) return 'done';
  if (!isIssued(csr)) return 'open';
  return !writeCaAnnotation || csr.metadata.annotations?.[CA] !== undefined ? 'done' : 'repair';
}

function stub(metadata: ObjectMeta): CertificateSigningRequest {
  return { metadata: keepIdentity(metadata), spec: { signerName: '', request: '' } };
}

/** Keeps only the annotations that decisions use. */
function keepMeta(metadata: ObjectMeta): ObjectMeta {
  const known = IMMUTABLE_ANNOTATIONS.flatMap(key => {
    const value = metadata.annotations?.[key];
    return value === undefined ? [] : [[key, keepText(value, MAX_ANNOTATION)] as const];
  });
  return { ...keepIdentity(metadata), ...(known.length > 0 && { annotations: Object.fromEntries(known) }) };
}

/** In characters: longer than any valid value, so a longer value stays invalid when cut. */
const MAX_ANNOTATION = 1_000;

/** Few enough that a requester cannot fill the memory: the API server limits only the length of each. */
const MAX_LABELS = 32;

/** Labels select the solvers of an ACME issuer, so that only delegation needs them. Not used before approval. */
function keepLabels(csr: CertificateSigningRequest): Pick<ObjectMeta, 'labels'> {
  const labels = isApproved(csr) ? Object.entries(csr.metadata.labels ?? {}) : [];
  return labels.length === 0 ? {} : { labels: Object.fromEntries(labels.slice(0, MAX_LABELS)) };
}

/** The request is not used before approval, and the approval delivers it again. */
function keepSpec(csr: CertificateSigningRequest): CertificateSigningRequest['spec'] {
  const { spec } = csr;
  if (!isApproved(csr)) return { signerName: spec.signerName, request: '' };
  return { ...spec, request: keepText(spec.request, MAX_REQUEST_LENGTH + 4) };
}
