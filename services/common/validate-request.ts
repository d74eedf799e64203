// Validates the shape of a CSR: signer name, duration, agreement of the PKCS#10 request with spec.usages and the
// annotations, and the rules of the issuer type. Used by webhook and signer. Never checks issuers, permissions, time,
// or the signature of the request, which the API server has verified and the signer verifies again (ADR 12).

import { readIsCa, readPrivateKeySecretName } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { MILLISECOND } from './duration.ts';
import type { FieldError } from './field-error.ts';
import { ASSUMED_TYPE, type IssuerType, issuerTypes } from './issuers/issuer-types.ts';
import { isKnownExtKeyUsage, resolveUsages, type X509Usages } from './key-usage.ts';
import { findNameViolations } from './name-violations.ts';
import { type Reason, reasons } from './reasons/reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { findTemplateProblems, type TemplateProblem } from './request-template.ts';
import type { RequestedCertificate, SentRequest } from './requested-certificate.ts';
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

/** Maximum length of a message that repeats what the requester wrote, in a response and in a condition. */
const MAX_TEXT = 2_000;

/** What is known about the issuer of a request. */
export interface IssuerFacts {
  readonly type?: IssuerType | undefined;
  /** The CAs in its chain with name constraints. */
  readonly constrained?: readonly ConstrainedCa[];
}

/**
 * The requested certificate, or every rule that the CSR violates, in the order in which cert-manager's Sync and
 * template builder find them: the signer fails the CSR with the first one. Facts about the issuer add the rules of its
 * type and its CA. Nothing else judges the shape of a request.
 */
export function toRequestedCertificate(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
  { type = ASSUMED_TYPE, constrained = [] }: IssuerFacts = {},
): Result<RequestedCertificate, readonly FieldError[]> {
  const request = parsePkcs10(csr.spec.request);
  const usages = resolveUsages(csr.spec.usages);
  const row = issuerTypes[type];
  const asked = {
    keySecretName: readPrivateKeySecretName(csr),
    publicKey: request.ok ? request.value.spki : undefined,
    named: request.ok ? { ...request.value, ...copiedExtensions(request.value) } : undefined,
  };
  const errors = [
    ...validateSignerName(csr, policy),
    ...validateDuration(csr, policy),
    ...findTemplateProblems(csr, request, usages).map(found => templateError(found, row.reasons.badRequest)),
    ...row.findErrors(asked),
    ...(request.ok ? nameErrors(request.value, constrained) : []),
  ];
  if (errors.length > 0 || !request.ok || !usages.ok) return err(errors);
  return ok(describe(csr, { request: request.value, usages: usages.value, policy }));
}

/** Names that the CA, or a CA above it, may not sign: clients would reject the certificate. */
function nameErrors(request: Pkcs10, constrained: readonly ConstrainedCa[]): readonly FieldError[] {
  const violations = findNameViolations({ subject: request.subject, ...copiedExtensions(request) }, constrained);
  return violations.map(message => ({ reason: 'NameConstraintViolation', field: 'spec.request', message }));
}

interface Parts {
  readonly request: Pkcs10;
  readonly usages: X509Usages;
  readonly policy: RequestPolicy;
}

/** For a valid CSR only. */
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
    sent: sentRequest(csr),
  };
}

function sentRequest({ metadata, spec }: CertificateSigningRequest): SentRequest {
  const { name, labels } = metadata;
  return { name, request: spec.request, usages: spec.usages ?? [], ...(labels && { labels }) };
}

/** cert-manager replaces the usages that Go knows and keeps the others of the request in the template. */
function unknownExtKeyUsages(request: Pkcs10): readonly string[] {
  const extension = findExtension(request, EXTENSION.extKeyUsage);
  const oids = extension && parseExtKeyUsage(extension.value);
  return oids?.ok ? oids.value.filter(oid => !isKnownExtKeyUsage(oid)) : [];
}

/** The extensions that are copied into the certificate; the others are compared with the CSR, or dropped. */
function copiedExtensions(request: Pkcs10): Pick<RequestedCertificate, 'subjectAltName' | 'nameConstraints'> {
  const names = findExtension(request, EXTENSION.subjectAltName);
  const constraints = findExtension(request, EXTENSION.nameConstraints);
  const rewritten = constraints && rewriteNameConstraints(constraints.value);
  return {
    ...(names && { subjectAltName: names.value }),
    ...(constraints && rewritten?.ok && { nameConstraints: { ...constraints, value: rewritten.value } }),
  };
}

/** Errors if the signer name is malformed; none for another signer's name. */
export function validateSignerName(
  { spec: { signerName } }: CertificateSigningRequest,
  { externalIssuers }: Pick<RequestPolicy, 'externalIssuers'>,
): readonly FieldError[] {
  const signer = parseSignerName(signerName, externalIssuers);
  if (signer.ok || signer.error.kind === 'foreign') return [];
  const message = reasons.InvalidSignerName.message(signerName, signer.error.detail);
  return [{ reason: 'InvalidSignerName', field: 'spec.signerName', message: shorten(message, MAX_TEXT) }];
}

/**
 * Characters, as for all other objects (a DNS subdomain, RFC 1123). The API server does not limit the name of a CSR.
 */
export const MAX_NAME_LENGTH = 253;

/** Watchers keep the names of all CSRs in memory; the signer skips CSRs with longer names. */
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
