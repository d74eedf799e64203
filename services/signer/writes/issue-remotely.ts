// Has a certificate issued by a remote (a server that holds the key, or another controller), checks it against the
// request, and writes it. A call may be repeated after a crash, so the issuer type makes it idempotent where the remote
// allows it.

import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { findProofFault } from '../issuance/proof-of-possession.ts';
import { checkRemoteCertificate, type RemoteCertificate } from '../issuance/remote-certificate.ts';
import type { RemoteIssuance } from '../issuers/issuer-type.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { recordReason, type Subject } from './request-events.ts';
import { reasonsOf } from './unusable-certificate.ts';
import { type CertificateWriteDeps, type Issued, writeCertificate } from './write-certificate.ts';

/** How long an unresponsive remote may block a worker, in milliseconds; then the request is retried. */
const ANSWER_TIMEOUT_MS = 30_000;

export async function issueRemotely<R extends RequestRecord>(
  deps: CertificateWriteDeps & { readonly now: () => Date },
  subject: Subject<R>,
  issuance: RemoteIssuance,
): Promise<Issued> {
  const { kind, record, log } = subject;
  const proofFault = findProofFault(issuance.requested);
  if (proofFault !== undefined) return fail(reasonsOf(subject).badRequest, proofFault);
  const audit = { audit: true, requester: kind.requesterOf(record).username, isCa: issuance.requested.isCa };
  log.info(audit, 'requesting certificate');
  // Every remote request has its log line, even if the process crashes.
  log.flush();
  const answer = await issuance.submit(AbortSignal.timeout(ANSWER_TIMEOUT_MS));
  if (!deps.isLeading()) return { kind: 'dropped' };
  for (const { reason, message } of answer.warnings ?? []) {
    log.warn({ reason, detail: message }, 'remote issuance warning');
    recordReason(deps, subject, reason, message);
  }
  if (answer.kind !== 'issued') return { kind: 'instead', decision: answer };
  const checked = checkRemoteCertificate(answer, issuance.requested, { policy: deps.settings.policy, now: deps.now() });
  if (!checked.ok) return refuse(subject, checked.error);
  const refusal = await writeCertificate(deps, subject, checked.value.chain, {
    ...audit,
    ...auditFieldsOf(checked.value),
  });
  if (refusal === undefined) {
    reportDifferences(deps, subject, checked.value);
    return { kind: 'issued' };
  }
  return { ...refuse(subject, refusal.message), refusal };
}

/** Requester and approver expect what was requested. */
function reportDifferences<R extends RequestRecord>(
  deps: CertificateWriteDeps,
  subject: Subject<R>,
  { differences }: RemoteCertificate,
): void {
  if (differences.length === 0) return;
  recordReason(deps, subject, 'CertificateDiffers', reasons.CertificateDiffers.message(differences));
}

function auditFieldsOf({ serial, notAfter, sha256, differences }: RemoteCertificate): Record<string, unknown> {
  return { serial, notAfter: notAfter.toISOString(), sha256, ...(differences.length > 0 && { differences }) };
}

/** The certificate does not match the request: it is never written, and retrying would issue another one. */
function refuse<R extends RequestRecord>(subject: Subject<R>, problem: string): Extract<Issued, { kind: 'instead' }> {
  return fail(reasonsOf(subject).signingFailed, reasons.SigningError.message(problem));
}

function fail(reason: Reason, message: string): Extract<Issued, { kind: 'instead' }> {
  return { kind: 'instead', decision: { kind: 'fail', reason, message } };
}
