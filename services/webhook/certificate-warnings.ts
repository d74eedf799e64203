// Which requests lead to certificates that RFC 5280 forbids and strict clients reject (OpenSSL with -x509_strict, Python since 3.13),
// although cert-manager issues them. Pure; never a reason to refuse.

import { REQUEST_IS_CA, readIsCa } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { IssuerType } from '@countersign/common/issuer-types.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { type Pkcs10, parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

/** For a CSR that validateRequest finds nothing wrong with, and an issuer whose certificates are signed here. */
export function certificateWarnings(csr: CertificateSigningRequest, type: IssuerType): readonly string[] {
  const isCa = readIsCa(csr);
  // RFC 5280 is not about self-signed certificates of no CA (RFC 6818 section 2).
  if (type === 'selfSigned' && !isCa) return [];
  const request = parsePkcs10(csr.spec.request);
  return request.ok ? [...usageWarnings(csr, isCa), ...nameWarnings(request.value, csr, isCa)] : [];
}

function usageWarnings({ spec }: CertificateSigningRequest, isCa: boolean): readonly string[] {
  if (isCa || !spec.usages?.includes('cert sign')) return [];
  return [
    `strict clients reject a certificate with the usage "cert sign" that is no CA: set ${REQUEST_IS_CA} to "true", or leave the usage out`,
  ];
}

function nameWarnings(request: Pkcs10, { spec }: CertificateSigningRequest, isCa: boolean): readonly string[] {
  const alternatives = findExtension(request, EXTENSION.subjectAltName);
  const names = alternatives && readGeneralNames(alternatives.value);
  if (names?.ok && names.value.length === 0) {
    return [
      'strict clients reject a certificate whose subjectAltName is empty: create the request with a name in it, or without the extension',
    ];
  }
  if (!request.hasEmptySubject) return [];
  if (isCa) return ['strict clients reject a CA without a subject: create the request with one'];
  if (spec.usages?.includes('crl sign')) {
    return [
      'strict clients reject a certificate with the usage "crl sign" but without a subject: create the request with one',
    ];
  }
  return alternatives === undefined
    ? [
        'strict clients reject a certificate with neither a subject nor a subjectAltName: create the request with one of them',
      ]
    : [];
}
