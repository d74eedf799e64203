// The CSR annotations that Countersign uses (cert-manager's pkg/apis/experimental/v1alpha1): keys, parsing, and which
// of them are immutable. Never changes an object.

import type { CertificateSigningRequest } from './csr.ts';
import { type Nanoseconds, parseGoDuration } from './duration.ts';
import { annotationField, type FieldError } from './field-error.ts';
import { reasons } from './reasons/reasons.ts';
import { err, ok, type Result } from './result.ts';

/** Set by the requester: the requested duration, as a Go duration. Takes precedence over spec.expirationSeconds. */
export const REQUEST_DURATION = 'experimental.cert-manager.io/request-duration';

/** Set by the requester: `"true"` requests a CA certificate. */
export const REQUEST_IS_CA = 'experimental.cert-manager.io/request-is-ca';

/** Set by the requester, for SelfSigned issuers: the Secret with the private key of the request. */
export const PRIVATE_KEY_SECRET_NAME = 'experimental.cert-manager.io/private-key-secret-name';

/** Set by the signer: base64 of the PEM of the chain's top certificate (cert-manager v1.4). */
export const CA = 'experimental.cert-manager.io/ca';

/** Go accepts longer text, but no duration needs it, and the requester must not choose the parsing time. */
const MAX_DURATION_LENGTH = 256;

/** Longer than any duration needs. Longer invalid text may be pasted by mistake and is not repeated. */
const MAX_SHOWN_DURATION = 40;

/** Part of the request: immutable from creation, although the API server allows annotations to change. */
export const IMMUTABLE_ANNOTATIONS: readonly string[] = [REQUEST_DURATION, REQUEST_IS_CA, PRIVATE_KEY_SECRET_NAME];

/** The requested duration; undefined without the annotation. An empty annotation is present, and invalid. */
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

/** Only the exact text `true` counts, as in cert-manager; `True` and `1` do not. */
export function readIsCa(csr: CertificateSigningRequest): boolean {
  return csr.metadata.annotations?.[REQUEST_IS_CA] === 'true';
}

/** Undefined if the annotation is absent or empty. */
export function readPrivateKeySecretName(csr: CertificateSigningRequest): string | undefined {
  return csr.metadata.annotations?.[PRIVATE_KEY_SECRET_NAME] || undefined;
}

/** The value of the `ca` annotation for a certificate in PEM: standard base64, as cert-manager v1.4 wrote it. */
export function encodeCaAnnotation(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/** Keys of the immutable annotations that differ. Absent and empty are different. */
export function changedImmutableAnnotations(
  before: CertificateSigningRequest,
  after: CertificateSigningRequest,
): readonly string[] {
  const { annotations: old = {} } = before.metadata;
  const { annotations: now = {} } = after.metadata;
  return IMMUTABLE_ANNOTATIONS.filter(key => old[key] !== now[key]);
}
