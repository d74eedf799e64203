// Reports what is still to be reported of a request whose last write was never answered, once it turns out to have landed: the
// event, the line in the log, the count. Writes nothing to the request.

import { X509Certificate } from 'node:crypto';
import { isReason, type Reason } from '@countersign/common/reasons.ts';
import { serialOf } from '../issuance/serial.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { type EventDeps, recordFailure, recordIssuance, type Subject } from './request-events.ts';

/** What became of a request by a write of ours. */
export interface Landed {
  readonly result: 'issued' | 'failed';
  readonly reason: Reason;
  /** '' where the issuer is gone. */
  readonly issuerType: string;
}

/** The record as the API server has it, and as it was written here; undefined when it has come to no end. */
export function reportLanded<R extends RequestRecord>(deps: EventDeps, subject: Subject<R>): Landed | undefined {
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
