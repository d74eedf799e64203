// Which requests lead to certificates that RFC 5280 forbids and strict clients reject (OpenSSL with -x509_strict, Python since 3.13),
// although cert-manager issues them. Pure; never a reason to refuse.

import { REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { type IssuerType, issuerTypes } from '@countersign/common/issuer-types.ts';
import { CRL_SIGN, KEY_CERT_SIGN } from '@countersign/common/key-usage.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

/** By an issuer whose certificates are signed here. */
export function certificateWarnings(requested: RequestedCertificate, type: IssuerType): readonly string[] {
  // RFC 5280 is not about self-signed certificates of no CA (RFC 6818 section 2).
  if (issuerTypes[type].signsItself && !requested.isCa) return [];
  return [...usageWarnings(requested), ...nameWarnings(requested)];
}

function usageWarnings({ isCa, usages }: RequestedCertificate): readonly string[] {
  if (isCa || (usages.keyUsage & KEY_CERT_SIGN) === 0) return [];
  return [
    `strict clients reject a certificate with the usage "cert sign" that is no CA: set ${REQUEST_IS_CA} to "true", or leave the usage out`,
  ];
}

function nameWarnings({ subjectAltName, hasEmptySubject, isCa, usages }: RequestedCertificate): readonly string[] {
  const names = subjectAltName && readGeneralNames(subjectAltName);
  if (names?.ok && names.value.length === 0) {
    return [
      'strict clients reject a certificate whose subjectAltName is empty: create the request with a name in it, or without the extension',
    ];
  }
  if (!hasEmptySubject) return [];
  if (isCa) return ['strict clients reject a CA without a subject: create the request with one'];
  if ((usages.keyUsage & CRL_SIGN) !== 0) {
    return [
      'strict clients reject a certificate with the usage "crl sign" but without a subject: create the request with one',
    ];
  }
  return subjectAltName === undefined
    ? [
        'strict clients reject a certificate with neither a subject nor a subjectAltName: create the request with one of them',
      ]
    : [];
}
