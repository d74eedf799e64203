// What a CSR asks for, or every rule on its shape that it breaks: signer name, duration, the agreement of the PKCS#10 request with
// spec.usages and the annotations, and what the type of its issuer demands. Webhook and signer both call it. Never looks at
// issuers, permissions or time, nor at the signature of the request: that the API server has verified, and the signer verifies it
// again (ADR 12).

import { readIsCa, readPrivateKeySecretName } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { MILLISECOND } from './duration.ts';
import type { FieldError } from './field-error.ts';
import { type IssuerType, issuerTypes } from './issuer-types.ts';
import { isKnownExtKeyUsage, resolveUsages, type X509Usages } from './key-usage.ts';
import { findNameViolations } from './name-violations.ts';
import { type Reason, reasons } from './reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { findTemplateProblems, type TemplateProblem } from './request-template.ts';
import type { RequestedCertificate } from './requested-certificate.ts';
import { requestedDuration, validateDuration } from './requested-duration.ts';
import { err, ok, type Result } from './result.ts';
import { shorten } from './short-text.ts';
import { parseSignerName } from './signer-name.ts';
import { findExtension } from './x509/extension.ts';
import { parseExtKeyUsage } from './x509/extension-values.ts';
import type { ConstrainedCa } from './x509/name-constraints/constraint-subtrees.ts';
import { rewriteNameConstraints } from './x509/name-constraints/name-constraints.ts';
import { EXTENSION } from './x509/oids.ts';
import { type Pkcs10, parsePkcs10 } from './x509/pkcs10.ts';

/** A text repeats what the requester wrote, in an answer and in a condition; one that is meant for readers stays below. */
const MAX_TEXT = 2_000;

/** What is known of the issuer that a request names. */
export interface IssuerFacts {
  readonly type?: IssuerType | undefined;
  /** The CAs of its chain that have name constraints. */
  readonly constrained?: readonly ConstrainedCa[];
}

/**
 * What the CSR asks for, or every rule that it breaks, in the order in which cert-manager's Sync and template builder find them:
 * the signer fails the CSR with the first. What is known of the issuer adds the rules of its type and its CA.
 * Webhook and signer both call it, and nothing else judges the shape of a request.
 */
export function toRequestedCertificate(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
  { type = 'ca', constrained = [] }: IssuerFacts = {},
): Result<RequestedCertificate, readonly FieldError[]> {
  const request = parsePkcs10(csr.spec.request);
  const usages = resolveUsages(csr.spec.usages);
  const row = issuerTypes[type];
  const asked = {
    keySecretName: readPrivateKeySecretName(csr),
    publicKey: request.ok ? request.value.spki : undefined,
  };
  const errors = [
    ...validateSignerName(csr),
    ...validateDuration(csr, policy),
    ...findTemplateProblems(csr, request, usages).map(found => templateError(found, row.reasons.badRequest)),
    ...row.findErrors(asked),
    ...(request.ok ? nameErrors(request.value, constrained) : []),
  ];
  if (errors.length > 0 || !request.ok || !usages.ok) return err(errors);
  return ok(describe(csr, { request: request.value, usages: usages.value, policy }));
}

/** Names that the CA, or one above it, may not sign: the certificate would be rejected by those who verify it. */
function nameErrors(request: Pkcs10, constrained: readonly ConstrainedCa[]): readonly FieldError[] {
  const violations = findNameViolations({ subject: request.subject, ...copiedExtensions(request) }, constrained);
  return violations.map(message => ({ reason: 'NameConstraintViolation', field: 'spec.request', message }));
}

interface Parts {
  readonly request: Pkcs10;
  readonly usages: X509Usages;
  readonly policy: RequestPolicy;
}

/** Of a CSR that breaks no rule. */
function describe(csr: CertificateSigningRequest, { request, usages, policy }: Parts): RequestedCertificate {
  const { subject, hasEmptySubject, spki, signatureAlgorithm, certificationRequestInfo, signature } = request;
  return {
    uid: csr.metadata.uid ?? '',
    requester: csr.spec.username ?? '',
    subject,
    hasEmptySubject,
    publicKey: spki,
    proof: { algorithm: signatureAlgorithm, spki, data: certificationRequestInfo, signature },
    ...copiedExtensions(request),
    usages: { ...usages, extKeyUsages: [...usages.extKeyUsages, ...unknownExtKeyUsages(request)] },
    isCa: readIsCa(csr),
    lifetimeMs: Number(requestedDuration(csr, policy) / MILLISECOND),
  };
}

/** cert-manager replaces the usages that Go has a number for and leaves the others of the request in the template. */
function unknownExtKeyUsages(request: Pkcs10): readonly string[] {
  const extension = findExtension(request, EXTENSION.extKeyUsage);
  const oids = extension && parseExtKeyUsage(extension.value);
  return oids?.ok ? oids.value.filter(oid => !isKnownExtKeyUsage(oid)) : [];
}

/** Of the extensions of a request these two reach the certificate; the others are compared with the CSR, or dropped. */
function copiedExtensions(request: Pkcs10): Pick<RequestedCertificate, 'subjectAltName' | 'nameConstraints'> {
  const names = findExtension(request, EXTENSION.subjectAltName);
  const constraints = findExtension(request, EXTENSION.nameConstraints);
  const rewritten = constraints && rewriteNameConstraints(constraints.value);
  return {
    ...(names && { subjectAltName: names.value }),
    ...(constraints && rewritten?.ok && { nameConstraints: { ...constraints, value: rewritten.value } }),
  };
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

function templateError({ field, problem }: TemplateProblem, reason: Reason): FieldError {
  return { reason, field, message: reasons.SigningError.template(shorten(problem, MAX_TEXT)) };
}
