// Every rule on the shape of a CSR itself, for whatever issuer: signer name, duration, and the agreement of the PKCS#10
// request with spec.usages and the annotations. Webhook and signer both run it. Never looks at issuers, permissions or time,
// nor at the signature of the request: that the API server has verified, and the signer verifies it again (ADR 12).

import { REQUEST_DURATION, readIsCa, readRequestDuration } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { HOUR, type Nanoseconds, SECOND } from './duration.ts';
import { findExtension } from './extension.ts';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from './extension-values.ts';
import { annotationField, type FieldError } from './field-error.ts';
import {
  formatExtKeyUsages,
  formatKeyUsages,
  isKnownExtKeyUsage,
  resolveUsages,
  type X509Usages,
} from './key-usage.ts';
import { EXTENSION } from './oids.ts';
import { type Pkcs10, parsePkcs10 } from './pkcs10.ts';
import { reasons } from './reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { err, ok, type Result } from './result.ts';
import { shorten } from './short-text.ts';
import { parseSignerName } from './signer-name.ts';

/** Ten minutes, so that the annotation allows what spec.expirationSeconds does (cert-manager's minimum for CSRs). */
export const MINIMUM_DURATION: Nanoseconds = 600n * SECOND;

/** 90 days: cert-manager's DefaultCertificateDuration. */
export const DEFAULT_DURATION: Nanoseconds = 2160n * HOUR;

/** A text repeats what the requester wrote, in an answer and in a condition; one that is meant for readers stays below. */
const MAX_TEXT = 2_000;

/**
 * Every rule that the CSR breaks, in the order in which cert-manager's Sync and template builder find them: the signer fails
 * the CSR with the first. Empty when all is well, and for another signer's CSR.
 */
export function validateRequest(csr: CertificateSigningRequest, policy: RequestPolicy): readonly FieldError[] {
  const signer = parseSignerName(csr.spec.signerName);
  if (!signer.ok && signer.error.kind === 'foreign') return [];
  return [...validateSignerName(csr), ...examineRequest(csr, policy).errors];
}

/** Whether an issuer could ever match the signer name. Empty for another signer's, too. */
export function validateSignerName({ spec: { signerName } }: CertificateSigningRequest): readonly FieldError[] {
  const signer = parseSignerName(signerName);
  if (signer.ok || signer.error.kind === 'foreign') return [];
  const message = reasons.InvalidSignerName.message(signerName, signer.error.detail);
  return [{ reason: 'InvalidSignerName', field: 'spec.signerName', message: shorten(message, MAX_TEXT) }];
}

/** Characters, as for all other objects (a DNS subdomain, RFC 1123). The API server lets a CSR's name be as long as the object. */
export const MAX_NAME_LENGTH = 253;

/** Who watches keeps the names of all CSRs: the signer leaves out those that are longer. */
export function validateName({ metadata }: CertificateSigningRequest): readonly FieldError[] {
  const { length } = metadata.name;
  if (length <= MAX_NAME_LENGTH) return [];
  return [
    { reason: 'NameTooLong', field: 'metadata.name', message: reasons.NameTooLong.message(MAX_NAME_LENGTH, length) },
  ];
}

/** The same for a CSR whose signer name is known to be good, together with the request inside it if that can be read. */
export function examineRequest(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
): {
  readonly errors: readonly FieldError[];
  readonly request: Result<Pkcs10>;
} {
  const request = parsePkcs10(csr.spec.request);
  return { errors: [...validateDuration(csr, policy), ...templateErrors(csr, request)], request };
}

/**
 * How long the certificate shall be valid: annotation, else spec.expirationSeconds, else 90 days, or what the operator allows
 * at most. For a valid CSR only.
 */
export function requestedDuration(csr: CertificateSigningRequest, { maxDuration }: RequestPolicy): Nanoseconds {
  const annotated = readRequestDuration(csr);
  // An annotation that is wrong hides expirationSeconds all the same: better no answer than a certificate nobody asked for.
  if (!annotated.ok) throw new TypeError(annotated.error.message);
  if (annotated.value !== undefined) return annotated.value;
  const { expirationSeconds } = csr.spec;
  if (expirationSeconds != null) return BigInt(expirationSeconds) * SECOND;
  return maxDuration !== undefined && maxDuration < DEFAULT_DURATION ? maxDuration : DEFAULT_DURATION;
}

/** The rules on the duration alone, which cert-manager checks before it looks at the request. */
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

/** What makes cert-manager's certificate template fail. */
function templateErrors(csr: CertificateSigningRequest, request: Result<Pkcs10>): readonly FieldError[] {
  const usages = resolveUsages(csr.spec.usages);
  const usageErrors = usages.ok ? [] : [templateError('spec.usages', usages.error)];
  const problems = request.ok
    ? requestProblems(request.value, readIsCa(csr), usages.ok ? usages.value : undefined)
    : [request.error];
  return [...usageErrors, ...problems.map(problem => templateError('spec.request', problem))];
}

function templateError(field: string, problem: string): FieldError {
  return { reason: 'SigningError', field, message: reasons.SigningError.template(shorten(problem, MAX_TEXT)) };
}

/** `expected` is undefined when spec.usages is wrong already: there is nothing to compare with. */
function requestProblems(request: Pkcs10, isCa: boolean, expected: X509Usages | undefined): readonly string[] {
  return [...basicConstraintsProblems(request, isCa), ...usageProblems(request, expected)];
}

/** A request without the extension asks for nothing; one with it must agree with the annotation. */
function basicConstraintsProblems(request: Pkcs10, expected: boolean): readonly string[] {
  const extension = findExtension(request, EXTENSION.basicConstraints);
  if (extension === undefined) return [];
  const constraints = parseBasicConstraints(extension.value);
  if (!constraints.ok) return [constraints.error];
  if (constraints.value.isCa === expected) return [];
  return [`encoded CSR error: IsCA ${constraints.value.isCa} does not match expected value ${expected}`];
}

/** With only one of the two extensions the other counts as empty, and is compared too. */
function usageProblems(request: Pkcs10, expected: X509Usages | undefined): readonly string[] {
  const encoded = encodedUsages(request);
  if (encoded === undefined) return [];
  if (!encoded.ok) return [encoded.error];
  return expected === undefined ? [] : usageDifferences(encoded.value, expected);
}

/** KeyUsage and ExtendedKeyUsage of the request; undefined when it has neither. */
function encodedUsages(request: Pkcs10): Result<X509Usages> | undefined {
  const keyUsage = findExtension(request, EXTENSION.keyUsage);
  const extKeyUsage = findExtension(request, EXTENSION.extKeyUsage);
  if (keyUsage === undefined && extKeyUsage === undefined) return undefined;
  const mask = keyUsage === undefined ? ok(0) : parseKeyUsage(keyUsage.value);
  const oids = extKeyUsage === undefined ? ok([]) : parseExtKeyUsage(extKeyUsage.value);
  if (!mask.ok) return mask;
  return oids.ok ? ok({ keyUsage: mask.value, extKeyUsages: oids.value }) : err(oids.error);
}

function usageDifferences(encoded: X509Usages, expected: X509Usages): readonly string[] {
  const known = encoded.extKeyUsages.filter(isKnownExtKeyUsage);
  const differences: string[] = [];
  if (encoded.keyUsage !== expected.keyUsage) {
    differences.push(
      `encoded CSR error: the KeyUsages ${formatKeyUsages(encoded.keyUsage)} do not match the expected KeyUsages ${formatKeyUsages(expected.keyUsage)}`,
    );
  }
  // In order, duplicates included: cert-manager compares the lists, not the sets.
  if (known.join() !== expected.extKeyUsages.join()) {
    differences.push(
      `encoded CSR error: the ExtKeyUsages ${formatExtKeyUsages(known)} do not match the expected ExtKeyUsages ${formatExtKeyUsages(expected.extKeyUsages)}`,
    );
  }
  return differences;
}
