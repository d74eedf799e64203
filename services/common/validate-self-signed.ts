// Every rule on the shape of a CSR for an issuer of type SelfSigned, which signs with the private key of the request itself: the
// rules for all issuers in its own words, the name of the Secret, and what the key must be. Never looks at the Secret.

import { PRIVATE_KEY_SECRET_NAME, readPrivateKeySecretName } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { annotationField, type FieldError } from './field-error.ts';
import { isObjectName } from './object-name.ts';
import type { Pkcs10 } from './pkcs10.ts';
import { reasons } from './reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import type { Result } from './result.ts';
import { findSignerProblem } from './signature-algorithm.ts';
import { examineRequest } from './validate-request.ts';

const USABLE_KEYS =
  'create the request with an RSA key of 2048 to 8192 bits, an ECDSA key on P-256, P-384 or P-521, or Ed25519';

/** For a CSR whose signer name is known to be good. */
export function validateSelfSigned(csr: CertificateSigningRequest, policy: RequestPolicy): readonly FieldError[] {
  const { errors, request } = examineRequest(csr, policy);
  return [...errors.map(inOwnWords), ...secretNameErrors(csr), ...keyErrors(request)];
}

function inOwnWords(error: FieldError): FieldError {
  return error.reason === 'SigningError' ? { ...error, reason: 'ErrorGenerating' } : error;
}

function secretNameErrors(csr: CertificateSigningRequest): readonly FieldError[] {
  const field = annotationField(PRIVATE_KEY_SECRET_NAME);
  const name = readPrivateKeySecretName(csr);
  if (name === undefined) return [{ reason: 'MissingAnnotation', field, message: reasons.MissingAnnotation.message() }];
  if (isObjectName(name)) return [];
  return [{ reason: 'InvalidSecretName', field, message: reasons.InvalidSecretName.message(name.length) }];
}

/** The signer finds it at the key in the Secret, which must be that of the request. */
function keyErrors(request: Result<Pkcs10>): readonly FieldError[] {
  const problem = request.ok ? findSignerProblem(request.value.spki) : undefined;
  if (problem === undefined) return [];
  const message = `${reasons.ErrorSigning.message(problem)}; ${USABLE_KEYS}`;
  return [{ reason: 'ErrorSigning', field: 'spec.request', message }];
}
