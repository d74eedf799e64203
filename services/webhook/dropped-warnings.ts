// Warns of what a request asks for and the remote of its issuer leaves out or decides itself, silently. Pure; never
// denies a request.

import { readRequestDuration } from '@countersign/common/annotations.ts';
import { judgedNames } from '@countersign/common/approval/request/judged-names.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';

/** What remotes put into a certificate when they are not configured otherwise: no warning for these. */
const USUAL_USAGES: ReadonlySet<string> = new Set([
  'signing',
  'digital signature',
  'key encipherment',
  'key agreement',
  'server auth',
  'client auth',
]);

/** The fields of judged names that an ACME server cannot validate. */
const NOT_IN_ACME = /^(uris|emailAddresses|otherNames\[|subject\.)/;

type Find = (csr: CertificateSigningRequest, requested: RequestedCertificate) => readonly string[];

const WARNINGS: Readonly<Partial<Record<IssuerType, Find>>> = {
  acme: (csr, requested) => [
    ...acmeNames(requested),
    ...usages(csr, 'ACME server'),
    ...acmeDuration(csr),
    ...acmeCa(requested),
  ],
  vault: csr => usages(csr, 'role of the Vault issuer'),
};

/** For an issuer whose requests are handled here. */
export function droppedWarnings(
  csr: CertificateSigningRequest,
  requested: RequestedCertificate,
  type: IssuerType,
): readonly string[] {
  return WARNINGS[type]?.(csr, requested) ?? [];
}

function usages({ spec }: CertificateSigningRequest, decider: string): readonly string[] {
  const unusual = (spec.usages ?? []).filter(usage => !USUAL_USAGES.has(usage));
  if (unusual.length === 0) return [];
  return [`the ${decider} decides the usages of the certificate, which may not have ${unusual.join(', ')}`];
}

function acmeNames({ subject, subjectAltName }: RequestedCertificate): readonly string[] {
  const dropped = judgedNames(subject, subjectAltName).filter(({ field }) => NOT_IN_ACME.test(field));
  if (dropped.length === 0) return [];
  return [
    `ACME servers issue DNS names and IP addresses only; the certificate will not have ${dropped.map(({ value }) => value).join(', ')}`,
  ];
}

function acmeDuration(csr: CertificateSigningRequest): readonly string[] {
  const annotated = readRequestDuration(csr);
  const isRequested = csr.spec.expirationSeconds !== undefined || (annotated.ok && annotated.value !== undefined);
  return isRequested
    ? ['the ACME server decides the lifetime of the certificate; the requested duration may have no effect']
    : [];
}

function acmeCa({ isCa }: RequestedCertificate): readonly string[] {
  return isCa ? ['ACME servers issue no CA certificates'] : [];
}
