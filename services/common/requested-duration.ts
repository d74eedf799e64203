// The requested duration of a CSR and its rules, which cert-manager checks before the request. Pure.

import { REQUEST_DURATION, readRequestDuration } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { HOUR, type Nanoseconds, SECOND } from './duration.ts';
import { annotationField, type FieldError } from './field-error.ts';
import { reasons } from './reasons/reasons.ts';
import type { RequestPolicy } from './request-policy.ts';

/** Ten minutes, so that the annotation allows what spec.expirationSeconds does (cert-manager's minimum for CSRs). */
export const MINIMUM_DURATION: Nanoseconds = 600n * SECOND;

/** 90 days: cert-manager's DefaultCertificateDuration. */
export const DEFAULT_DURATION: Nanoseconds = 2160n * HOUR;

/**
 * The annotation, otherwise spec.expirationSeconds, otherwise 90 days capped at the maximum duration. For a valid
 * CSR only.
 */
export function requestedDuration(csr: CertificateSigningRequest, { maxDuration }: RequestPolicy): Nanoseconds {
  const annotated = readRequestDuration(csr);
  // An invalid annotation still hides expirationSeconds: better no certificate than one that was not asked for.
  if (!annotated.ok) throw new TypeError(annotated.error.message);
  if (annotated.value !== undefined) return annotated.value;
  const { expirationSeconds } = csr.spec;
  if (expirationSeconds != null) return BigInt(expirationSeconds) * SECOND;
  return maxDuration !== undefined && maxDuration < DEFAULT_DURATION ? maxDuration : DEFAULT_DURATION;
}

/** The rules on the duration, which cert-manager checks before the request. */
export function validateDuration(csr: CertificateSigningRequest, policy: RequestPolicy): readonly FieldError[] {
  const annotated = readRequestDuration(csr);
  if (!annotated.ok) return [annotated.error];
  const message = durationProblem(requestedDuration(csr, policy), policy);
  if (message === undefined) return [];
  const field = annotated.value === undefined ? 'spec.expirationSeconds' : annotationField(REQUEST_DURATION);
  return [{ reason: 'InvalidDuration', field, message }];
}

function durationProblem(requested: Nanoseconds, { maxDuration }: RequestPolicy): string | undefined {
  if (requested < MINIMUM_DURATION) return reasons.InvalidDuration.message(MINIMUM_DURATION, requested);
  if (maxDuration !== undefined && requested > maxDuration)
    return reasons.InvalidDuration.maximum(maxDuration, requested);
  return undefined;
}

/** Whether a rule on the duration is violated; these are checked before the issuer. */
export function isDurationError({ reason }: FieldError): boolean {
  return reason === 'ErrorParseDuration' || reason === 'InvalidDuration';
}
