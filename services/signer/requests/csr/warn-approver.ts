// Warns the approver of a pending CSR for a SelfSigned issuer which key will sign. Pure.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { formatSecretRef } from '@countersign/common/secret.ts';

/** Whether the issuer signs with a key that the requester names. */
export function concernsApprovers({ spec }: Issuer): boolean {
  return signingSecret(spec, 'any')?.namedBy === 'requester';
}

/** `namespace` is the namespace of the issuer's Secrets. */
export function warningToApprover(csr: CertificateSigningRequest, { spec }: Issuer, namespace: string) {
  const secret = signingSecret(spec, readPrivateKeySecretName(csr));
  if (secret?.namedBy !== 'requester') return undefined;
  const message = reasons.SelfSignedKey.message(formatSecretRef({ namespace, name: secret.name }));
  return { reason: 'SelfSignedKey', message } as const;
}
