// Warns of certificates that violate RFC 5280 and that strict clients reject (OpenSSL with -x509_strict, Python since
// 3.13), although cert-manager issues them. Pure; never denies a request.

import { REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { type IssuerType, issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { CRL_SIGN, KEY_CERT_SIGN } from '@countersign/common/key-usage.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

/** For an issuer type that Countersign signs with. */
export function certificateWarnings(requested: RequestedCertificate, type: IssuerType): readonly string[] {
  // RFC 5280 does not cover self-signed end-entity certificates (RFC 6818 section 2).
  if (issuerTypes[type].signsItself && !requested.isCa) return [];
  return [...usageWarnings(requested), ...nameWarnings(requested)];
}

function usageWarnings({ isCa, usages }: RequestedCertificate): readonly string[] {
  if (isCa || (usages.keyUsage & KEY_CERT_SIGN) === 0) return [];
  return [
    `strict clients reject a certificate that has the usage "cert sign" but is not a CA: set ${REQUEST_IS_CA} to "true", or remove the usage`,
  ];
}

function nameWarnings({ subjectAltName, hasEmptySubject, isCa, usages }: RequestedCertificate): readonly string[] {
  const names = subjectAltName && readGeneralNames(subjectAltName);
  if (names?.ok && names.value.length === 0) {
    return [
      'strict clients reject a certificate whose subjectAltName is empty: add a name to it, or omit the extension',
    ];
  }
  if (!hasEmptySubject) return [];
  if (isCa) return ['strict clients reject a CA certificate without a subject: set a subject'];
  if ((usages.keyUsage & CRL_SIGN) !== 0) {
    return ['strict clients reject a certificate with the usage "crl sign" but without a subject: set a subject'];
  }
  return subjectAltName === undefined
    ? ['strict clients reject a certificate with neither a subject nor a subjectAltName: set at least one of them']
    : [];
}
