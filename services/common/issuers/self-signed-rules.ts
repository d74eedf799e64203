// The rules that apply to SelfSigned issuers only, which sign with the private key of the request: the name of its
// Secret and the type of its key. Never reads the Secret.

import { PRIVATE_KEY_SECRET_NAME } from '../annotations.ts';
import { annotationField, type FieldError } from '../field-error.ts';
import { isObjectName } from '../object-name.ts';
import { reasons } from '../reasons/reasons.ts';
import { findSignerProblem } from '../x509/signature-algorithm.ts';

const USABLE_KEYS =
  'create the request with an RSA key of 2048 to 8192 bits, an ECDSA key on P-256, P-384 or P-521, or Ed25519';

/** The parts of a request that these rules check. */
export interface SelfSignedRequest {
  /** Undefined if the request names none. */
  readonly keySecretName: string | undefined;
  /** The DER of the SubjectPublicKeyInfo; undefined if the request cannot be parsed. */
  readonly publicKey: Buffer | undefined;
}

export function selfSignedErrors({ keySecretName, publicKey }: SelfSignedRequest): readonly FieldError[] {
  return [...secretNameErrors(keySecretName), ...keyErrors(publicKey)];
}

function secretNameErrors(name: string | undefined): readonly FieldError[] {
  const field = annotationField(PRIVATE_KEY_SECRET_NAME);
  if (name === undefined) return [{ reason: 'MissingAnnotation', field, message: reasons.MissingAnnotation.message() }];
  if (isObjectName(name)) return [];
  return [{ reason: 'InvalidSecretName', field, message: reasons.InvalidSecretName.message(name.length) }];
}

/** The key in the Secret must be that of the request, so the request alone shows whether it can sign. */
function keyErrors(publicKey: Buffer | undefined): readonly FieldError[] {
  const problem = publicKey && findSignerProblem(publicKey);
  if (problem === undefined) return [];
  const message = reasons.ErrorSigning.message(problem);
  return [{ reason: 'ErrorSigning', field: 'spec.request', message, remedy: USABLE_KEYS }];
}
