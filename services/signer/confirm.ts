// Says what is still to be said of a certificate whose write was never answered, once the CSR turns out to have it: the event,
// the second line of the audit trail, the count. Writes nothing to the CSR.

import { X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { type ApplyDeps, recordReason } from './apply.ts';
import { findHandler, type IssuerTypeHandler } from './issuers/issuer-type.ts';

export interface ConfirmDeps extends ApplyDeps {
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  readonly handlers: readonly IssuerTypeHandler[];
}

/** `csr` as the API server has it, with a certificate of ours. Gives the type of its issuer, '' if that is gone. */
export function confirmIssued(deps: ConfirmDeps, csr: CertificateSigningRequest, log: Logger): string {
  const leaf = new X509Certificate(Buffer.from(csr.status?.certificate ?? '', 'base64'));
  const audit = {
    audit: true,
    // All of its octets, as when it was signed; Node leaves out a leading zero.
    serial: leaf.serialNumber.toLowerCase().padStart(40, '0'),
    requester: csr.spec.username,
    isCa: leaf.ca,
    notAfter: leaf.validToDate.toISOString(),
    sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
  log.info(audit, 'certificate issued');
  const signer = parseSignerName(csr.spec.signerName);
  const issuer = signer.ok ? deps.findIssuer(signer.value) : undefined;
  const handler = findHandler(deps.handlers, issuer);
  if (handler === undefined) return '';
  recordReason(deps, { csr, log, reasons: handler.reasons }, 'CertificateIssued', handler.reasons.issuedMessage);
  return handler.type;
}
