// The rules on a request that hold for issuers of type SelfSigned alone, which sign with the private key of the request itself:
// the name of the Secret that holds it, and what the key must be. Never looks at the Secret.

import { PRIVATE_KEY_SECRET_NAME } from './annotations.ts';
import { annotationField, type FieldError } from './field-error.ts';
import { isObjectName } from './object-name.ts';
import { reasons } from './reasons.ts';
import { findSignerProblem } from './x509/signature-algorithm.ts';

const USABLE_KEYS =
  'create the request with an RSA key of 2048 to 8192 bits, an ECDSA key on P-256, P-384 or P-521, or Ed25519';

/** Of a request, what these rules look at. */
export interface AskedOfSelfSigned {
  /** undefined where the request does not name one. */
  readonly keySecretName: string | undefined;
  /** The DER of the SubjectPublicKeyInfo; undefined where the request cannot be read. */
  readonly publicKey: Buffer | undefined;
}

export function selfSignedErrors({ keySecretName, publicKey }: AskedOfSelfSigned): readonly FieldError[] {
  return [...secretNameErrors(keySecretName), ...keyErrors(publicKey)];
}

function secretNameErrors(name: string | undefined): readonly FieldError[] {
  const field = annotationField(PRIVATE_KEY_SECRET_NAME);
  if (name === undefined) return [{ reason: 'MissingAnnotation', field, message: reasons.MissingAnnotation.message() }];
  if (isObjectName(name)) return [];
  return [{ reason: 'InvalidSecretName', field, message: reasons.InvalidSecretName.message(name.length) }];
}

/** The signer finds it at the key in the Secret, which must be that of the request. */
function keyErrors(publicKey: Buffer | undefined): readonly FieldError[] {
  const problem = publicKey && findSignerProblem(publicKey);
  if (problem === undefined) return [];
  const message = reasons.ErrorSigning.message(problem);
  return [{ reason: 'ErrorSigning', field: 'spec.request', message, remedy: USABLE_KEYS }];
}
