// The annotations of a CSR that mean something here (cert-manager's pkg/apis/experimental/v1alpha1): their keys, how each
// is read and written, and which are locked. Never changes an object.

import type { CertificateSigningRequest } from './csr.ts';
import { type Nanoseconds, parseGoDuration } from './duration.ts';
import { annotationField, type FieldError } from './field-error.ts';
import { reasons } from './reasons.ts';
import { err, ok, type Result } from './result.ts';

/** Set by the requester: how long the certificate shall be valid, as a Go duration. Beats spec.expirationSeconds. */
export const REQUEST_DURATION = 'experimental.cert-manager.io/request-duration';

/** Set by the requester: `"true"` asks for a CA certificate. */
export const REQUEST_IS_CA = 'experimental.cert-manager.io/request-is-ca';

/** Set by the requester, for SelfSigned issuers: the Secret with the private key of the request. */
export const PRIVATE_KEY_SECRET_NAME = 'experimental.cert-manager.io/private-key-secret-name';

/** Set by the signer: base64 of the PEM of the chain's top certificate (cert-manager v1.4). */
export const CA = 'experimental.cert-manager.io/ca';

/** Go reads longer ones, but none says more than a short one does, and the time to read it would be the requester's choice. */
const MAX_DURATION_LENGTH = 256;

/** More than any duration needs: of what is longer and none, which may be something pasted by mistake, nothing is repeated. */
const MAX_SHOWN_DURATION = 40;

/** Part of the request, although the API server lets annotations change: these may not, from its creation on. */
export const LOCKED_ANNOTATIONS: readonly string[] = [REQUEST_DURATION, REQUEST_IS_CA, PRIVATE_KEY_SECRET_NAME];

/** The duration that the annotation asks for; undefined without the annotation. An empty annotation is there, and wrong. */
export function readRequestDuration(csr: CertificateSigningRequest): Result<Nanoseconds | undefined, FieldError> {
  const text = csr.metadata.annotations?.[REQUEST_DURATION];
  if (text === undefined) return ok(undefined);
  const duration = parseDuration(text);
  if (duration.ok) return duration;
  const message = reasons.ErrorParseDuration.message(duration.error);
  return err({ reason: 'ErrorParseDuration', field: annotationField(REQUEST_DURATION), message });
}

function parseDuration(text: string): Result<Nanoseconds> {
  if (text.length <= MAX_DURATION_LENGTH) {
    const duration = parseGoDuration(text);
    return duration.ok || text.length <= MAX_SHOWN_DURATION
      ? duration
      : err(`time: invalid duration of ${text.length} characters`);
  }
  return err(`the duration is ${text.length} characters long; the maximum is ${MAX_DURATION_LENGTH}`);
}

/** Only the exact text `true` counts, as in cert-manager: `True` and `1` are no. */
export function readIsCa(csr: CertificateSigningRequest): boolean {
  return csr.metadata.annotations?.[REQUEST_IS_CA] === 'true';
}

/** The name of the Secret; undefined when the annotation is absent or empty. */
export function readPrivateKeySecretName(csr: CertificateSigningRequest): string | undefined {
  return csr.metadata.annotations?.[PRIVATE_KEY_SECRET_NAME] || undefined;
}

/** The value of the `ca` annotation for a certificate in PEM: standard base64, as cert-manager v1.4 wrote it. */
export function encodeCaAnnotation(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/** Keys of the locked annotations that differ. Absent is not empty: an empty duration is there, and wrong. */
export function changedLockedAnnotations(
  before: CertificateSigningRequest,
  after: CertificateSigningRequest,
): readonly string[] {
  const { annotations: old = {} } = before.metadata;
  const { annotations: now = {} } = after.metadata;
  return LOCKED_ANNOTATIONS.filter(key => old[key] !== now[key]);
}
