// Reports a request whose last write was not answered but turns out to have been stored: event, log line and count.
// Does not write to the request.

import { X509Certificate } from 'node:crypto';
import { isReason, type Reason } from '@countersign/common/reasons/reasons.ts';
import { serialOf } from '../issuance/serial.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { type EventDeps, recordFailure, recordIssuance, type Subject } from './request-events.ts';

/** How one of our writes ended a request. */
export interface StoredWrite {
  readonly result: 'issued' | 'failed';
  readonly reason: Reason;
  /** '' if the issuer no longer exists. */
  readonly issuerType: string;
}

/**
 * `subject.record` is the object as stored by the API server, after one of our writes. Returns undefined if it has
 * not ended.
 */
export function reportStoredWrite<R extends RequestRecord>(
  deps: EventDeps,
  subject: Subject<R>,
): StoredWrite | undefined {
  const { kind, record, handler } = subject;
  const end = kind.endOf(record);
  const issuerType = handler?.type ?? '';
  if (end?.kind === 'issued') {
    recordIssuance(deps, subject, auditOf(subject, end.certificate));
    return { result: 'issued', reason: 'CertificateIssued', issuerType };
  }
  if (end === undefined || !isReason(end.reason)) return undefined;
  recordFailure(deps, subject, end.reason, end.message);
  return { result: 'failed', reason: end.reason, issuerType };
}

function auditOf<R extends RequestRecord>({ kind, record }: Subject<R>, certificate: string): Record<string, unknown> {
  const leaf = new X509Certificate(certificate);
  return {
    audit: true,
    serial: serialOf(leaf),
    requester: kind.requesterOf(record).username,
    isCa: leaf.ca,
    notAfter: leaf.validToDate.toISOString(),
    sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}
