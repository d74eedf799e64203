// What is said of one CSR: its events, and the lines of the log that say how it ended. Writes nothing to the CSR.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { IssuerReasons } from './issuers/issuer-type.ts';

export interface SayDeps {
  readonly events: Pick<EventRecorder, 'record'>;
}

/** One CSR at hand, with the logger that carries its fields and the words of its issuer's type. */
export interface Subject {
  readonly csr: CertificateSigningRequest;
  readonly log: Logger;
  readonly reasons: IssuerReasons | undefined;
}

export function recordReason({ events }: SayDeps, { csr }: Subject, reason: Reason, message: string): void {
  const { metadata } = csr;
  const subject = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata };
  events.record(subject, { type: reasons[reason].eventType, reason, message });
}

export function sayFailed(deps: SayDeps, subject: Subject, reason: Reason, message: string): void {
  subject.log.info({ reason, detail: message }, 'request failed');
  recordReason(deps, subject, reason, message);
}

/** `audit`: the fields of the second line of the audit trail. */
export function sayIssued(deps: SayDeps, subject: Subject, audit: Readonly<Record<string, unknown>>): void {
  subject.log.info(audit, 'certificate issued');
  const { reasons: words } = subject;
  if (words !== undefined) recordReason(deps, subject, 'CertificateIssued', words.issuedMessage);
}
