// Says what is still to be said of a CSR whose last write was never answered, once it turns out to be there: the event, the
// line in the log, the count. Writes nothing to the CSR.

import { X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, findFailure, isIssued } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import { isReason, type Reason } from '@countersign/common/reasons.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { serialOf } from './issuance/serial.ts';
import { findHandler, type IssuerTypeHandler } from './issuers/issuer-type.ts';
import { type SayDeps, type Subject, sayFailed, sayIssued } from './say.ts';

export interface ConfirmDeps extends SayDeps {
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  readonly handlers: readonly IssuerTypeHandler[];
}

/** What became of a CSR by a write of ours. */
export interface Confirmed {
  readonly result: 'issued' | 'failed';
  readonly reason: Reason;
  /** '' where the issuer is gone. */
  readonly issuerType: string;
}

/** `csr` as the API server has it, and as it was written here; undefined when it has come to no end. */
export function confirm(deps: ConfirmDeps, csr: CertificateSigningRequest, log: Logger): Confirmed | undefined {
  const handler = handlerOf(deps, csr);
  const subject = { csr, log, reasons: handler?.reasons };
  const issuerType = handler?.type ?? '';
  if (isIssued(csr)) {
    confirmIssued(deps, subject);
    return { result: 'issued', reason: 'CertificateIssued', issuerType };
  }
  const { reason = '', message = '' } = findFailure(csr) ?? {};
  if (!isReason(reason)) return undefined;
  sayFailed(deps, subject, reason, message);
  return { result: 'failed', reason, issuerType };
}

/** Of the type of its issuer; undefined where that is gone, or another's to sign with. */
export function handlerOf(
  { findIssuer, handlers }: Pick<ConfirmDeps, 'findIssuer' | 'handlers'>,
  { spec }: CertificateSigningRequest,
) {
  const signer = parseSignerName(spec.signerName);
  return findHandler(handlers, signer.ok ? findIssuer(signer.value) : undefined);
}

function confirmIssued(deps: ConfirmDeps, subject: Subject): void {
  const { spec, status } = subject.csr;
  const leaf = new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'));
  sayIssued(deps, subject, {
    audit: true,
    serial: serialOf(leaf),
    requester: spec.username,
    isCa: leaf.ca,
    notAfter: leaf.validToDate.toISOString(),
    sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  });
}
