// Warnings for admitted CSRs: the request has to wait, or the result may not be what the requester expects. Pure; never
// denies a request. Texts are short because the API server truncates warnings to 256 characters.

import { REQUEST_DURATION, REQUEST_IS_CA, readIsCa, readRequestDuration } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { formatGoDuration, SECOND } from '@countersign/common/duration.ts';
import { foreignType, type Issuer, isReady, issuerType, readyCondition } from '@countersign/common/issuers/issuer.ts';
import { ASSUMED_TYPE, signingSecret, TYPES_SIGNED_HERE } from '@countersign/common/issuers/issuer-types.ts';
import { showName } from '@countersign/common/object-name.ts';
import { formatIssuer } from '@countersign/common/reasons/own-reasons.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { certificateWarnings } from './certificate-warnings.ts';
import { droppedWarnings } from './dropped-warnings.ts';
import type { Admitted, SecretObservation } from './observe.ts';

/** The API server truncates longer warnings. */
const MAX_LENGTH = 256;

interface WarningContext {
  /** When the CSR is created. */
  readonly now: Date;
  /** The Secret that the issuer will sign with, if it could be read. */
  readonly secret?: SecretObservation | undefined;
  readonly policy?: Pick<RequestPolicy, 'delegates'>;
}

export function warningsFor(admitted: Admitted, context: WarningContext): readonly string[] {
  const { csr, ref, requested, issuer, approvalWarning } = admitted;
  const warnings = [
    ...(approvalWarning === undefined ? [] : [approvalWarning]),
    ...requestWarnings(csr),
    ...(requested ? strictWarnings(requested, issuer) : []),
    ...(requested && typeof issuer !== 'string' ? droppedByIssuer(csr, requested, issuer) : []),
    ...(issuer === 'missing' ? [`${formatIssuer(ref)} does not exist; the request waits until it is created`] : []),
    ...(typeof issuer === 'string' ? [] : issuerWarnings(admitted, issuer, context)),
    ...secretWarnings(admitted, context),
  ];
  return warnings.map(toOneLine);
}

/** Names and conditions are untrusted: characters that a Warning header cannot carry are replaced (RFC 9110 5.5). */
function toOneLine(warning: string): string {
  return shorten(warning.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '), MAX_LENGTH);
}

function requestWarnings(csr: CertificateSigningRequest): readonly string[] {
  const isCa = csr.metadata.annotations?.[REQUEST_IS_CA];
  const warnings: string[] = [];
  if (isCa !== undefined && isCa !== 'true' && isCa !== 'false') {
    warnings.push(`${REQUEST_IS_CA}: only "true" requests a CA certificate; ${quote(isCa)} is ignored`);
  }
  if (readIsCa(csr) && !csr.spec.usages?.includes('cert sign')) {
    warnings.push('a CA without the usage "cert sign" cannot sign certificates');
  }
  return [...warnings, ...durationWarnings(csr)];
}

function strictWarnings(requested: RequestedCertificate, issuer: Admitted['issuer']): readonly string[] {
  const type = typeof issuer === 'string' ? ASSUMED_TYPE : issuerType(issuer);
  return type === undefined ? [] : certificateWarnings(requested, type);
}

function droppedByIssuer(
  csr: CertificateSigningRequest,
  requested: RequestedCertificate,
  issuer: Issuer,
): readonly string[] {
  const type = issuerType(issuer);
  return type === undefined ? [] : droppedWarnings(csr, requested, type);
}

function durationWarnings(csr: CertificateSigningRequest): readonly string[] {
  const annotated = readRequestDuration(csr);
  const seconds = csr.spec.expirationSeconds;
  if (!annotated.ok || annotated.value === undefined || seconds === undefined) return [];
  if (annotated.value === BigInt(seconds) * SECOND) return [];
  const annotation = `${REQUEST_DURATION} (${formatGoDuration(annotated.value)})`;
  return [`spec.expirationSeconds (${seconds}) is ignored: ${annotation} takes precedence`];
}

function issuerWarnings({ ref, permission }: Admitted, issuer: Issuer, { policy }: WarningContext): readonly string[] {
  const foreign = foreignType(issuer, policy);
  if (foreign !== undefined) {
    const reason = `which Countersign does not sign with (only ${TYPES_SIGNED_HERE.join(', ')})`;
    return [`${formatIssuer(ref)} is of type ${foreign}, ${reason}; the request waits for another signer`];
  }
  if (issuerType(issuer) === undefined)
    return [`${formatIssuer(ref)} has no type in its spec; the request waits until it has one`];
  if (isReady(issuer)) return [];
  // The condition may name a Secret, so it is shown only to requesters who were granted permission.
  const { reason, message } = (permission === 'granted' ? readyCondition(issuer) : undefined) ?? {};
  const why = [reason, message].filter(Boolean).join(': ');
  return [`${formatIssuer(ref)} is not Ready; the request waits${why === '' ? '' : ` (${why})`}`];
}

function secretWarnings({ issuer, requested }: Admitted, { now, secret }: WarningContext): readonly string[] {
  if (typeof issuer === 'string' || secret === undefined || requested === undefined) return [];
  const { ref, facts } = secret;
  const name = `Secret ${ref.namespace}/${showName(ref.name)}`;
  if (!facts.exists) return [`${name} does not exist; the request waits until it is created`];
  const { certificateExpiry } = facts;
  // A SelfSigned issuer uses only the key; a certificate in the same Secret is irrelevant.
  if (certificateExpiry === undefined || !signingSecret(issuer.spec, ref.name)?.holdsCa) return [];
  const expiry = formatDate(certificateExpiry.getTime());
  if (certificateExpiry <= now) return [`the CA certificate in ${name} expired at ${expiry}`];
  const wanted = now.getTime() + requested.lifetimeMs;
  if (certificateExpiry.getTime() >= wanted) return [];
  return [`the CA certificate in ${name} expires at ${expiry}, before the requested expiry (${formatDate(wanted)})`];
}

/** A duration may exceed the range of Date. */
function formatDate(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 19)}Z`;
}

/** Quotes the start of a value that a requester chose. */
function quote(value: string): string {
  return JSON.stringify(shorten(value, 21));
}
