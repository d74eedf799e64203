// Returns the field errors of a CSR, for tests that are not interested in its contents.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';

export function requestErrors(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
  type?: IssuerType,
): readonly FieldError[] {
  const requested = toRequestedCertificate(csr, policy, { type });
  return requested.ok ? [] : requested.error;
}
