// Signs a linted certificate with a local key and writes it. Checks before each signature and each write that this
// replica is still the leader.

import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { completeChain } from '../authority/chain.ts';
import { signCertificate } from '../issuance/sign.ts';
import type { LocalIssuance } from '../issuers/issuer-type.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import type { Subject } from './request-events.ts';
import { decideRejected, decideUnusable } from './unusable-certificate.ts';
import { type CertificateWriteDeps, type Issued, writeCertificate } from './write-certificate.ts';

export async function issueLocally<R extends RequestRecord>(
  deps: CertificateWriteDeps,
  subject: Subject<R>,
  issuance: LocalIssuance,
): Promise<Issued> {
  const audit = auditFields(subject, issuance);
  subject.log.info(audit, 'signing certificate');
  // Every signature has its log line, even if the process crashes.
  subject.log.flush();
  const signed = await signCertificate(issuance.certificate, issuance.key);
  if (!signed.ok) {
    const refusal = new TerminalError(signed.error, { code: 'invalid' });
    return { kind: 'instead', decision: decideUnusable(subject, issuance, refusal), refusal };
  }
  if (!deps.isLeading()) {
    // The current leader signs it again, with the same serial.
    subject.log.info(audit, 'leadership lost, certificate discarded');
    return { kind: 'dropped' };
  }
  const chain = completeChain(signed.value.pem, issuance.authority);
  const refusal = await writeCertificate(deps, subject, chain, { ...audit, sha256: signed.value.sha256 });
  if (refusal === undefined) return { kind: 'issued' };
  return { kind: 'instead', decision: await decideRejected(deps, subject, issuance, refusal), refusal };
}

/** The audit fields logged before and after each signature. */
function auditFields<R extends RequestRecord>(
  { kind, record }: Subject<R>,
  { certificate: { profile } }: LocalIssuance,
): Record<string, unknown> {
  return {
    audit: true,
    serial: profile.serial.toString('hex'),
    requester: kind.requesterOf(record).username,
    isCa: profile.isCa,
    notAfter: profile.notAfter.toISOString(),
  };
}
