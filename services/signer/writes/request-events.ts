// Reports on one request: its events, and the log lines for its outcome. Does not write to the request.

import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { IssuerTypeHandler } from '../issuers/issuer-type.ts';
import type { RequestKind, RequestRecord } from '../requests/request-kind.ts';

export interface EventDeps {
  readonly events: Pick<EventRecorder, 'record'>;
}

/** The request being processed. */
export interface Subject<R extends RequestRecord = RequestRecord> {
  readonly kind: RequestKind<R>;
  readonly record: R;
  /** A logger with the fields of the request. */
  readonly log: Logger;
  /** The handler for its issuer's type; undefined if the type is unknown or not supported. */
  readonly handler: IssuerTypeHandler | undefined;
}

export function recordReason<R extends RequestRecord>(
  { events }: EventDeps,
  { kind, record }: Subject<R>,
  reason: Reason,
  message: string,
): void {
  const text = { type: reasons[reason].eventType, reason, message };
  for (const subject of kind.subjectsOf(record)) events.record(subject, text);
}

export function recordFailure<R extends RequestRecord>(
  deps: EventDeps,
  subject: Subject<R>,
  reason: Reason,
  message: string,
): void {
  subject.log.info({ reason, detail: message }, 'request failed');
  recordReason(deps, subject, reason, message);
}

/** `audit`: the fields of the second audit line. */
export function recordIssuance<R extends RequestRecord>(
  deps: EventDeps,
  subject: Subject<R>,
  audit: Readonly<Record<string, unknown>>,
): void {
  subject.log.info(audit, 'certificate issued');
  const { handler, kind } = subject;
  if (handler !== undefined && kind.announcesCertificates) {
    recordReason(deps, subject, 'CertificateIssued', issuerTypes[handler.type].reasons.issuedMessage);
  }
}
