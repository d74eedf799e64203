// What a requester is told although the CSR is let in: that it has to wait, and that something will not be as it looks. Pure;
// never a reason to refuse. Texts are short, for the API server cuts a warning off at 256 characters.

import { REQUEST_DURATION, REQUEST_IS_CA, readIsCa, readRequestDuration } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { formatGoDuration, SECOND } from '@countersign/common/duration.ts';
import { foreignType, type Issuer, isReady, issuerType, readyCondition } from '@countersign/common/issuer.ts';
import { signingSecret, TYPES_SIGNED_HERE } from '@countersign/common/issuer-types.ts';
import { showName } from '@countersign/common/object-name.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { shorten } from '@countersign/common/short-text.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { certificateWarnings } from './certificate-warnings.ts';
import type { Admitted, SecretSeen } from './observe.ts';

/** Where the API server cuts. */
const MAX_LENGTH = 256;

interface Circumstances {
  /** When the CSR is created. */
  readonly now: Date;
  /** The Secret that the issuer will sign with, where it could be read. */
  readonly secret?: SecretSeen | undefined;
}

/** For a CSR that is let in. */
export function warningsFor(admitted: Admitted, circumstances: Circumstances): readonly string[] {
  const { csr, ref, requested, issuer, permission } = admitted;
  const warnings = [
    ...requestWarnings(csr),
    ...(requested ? strictWarnings(requested, issuer) : []),
    ...(issuer === 'missing' ? [`${label(ref)} does not exist: the request waits for it`] : []),
    ...(typeof issuer === 'string' ? [] : issuerWarnings(ref, issuer, permission)),
    ...secretWarnings(admitted, circumstances),
  ];
  return warnings.map(toOneLine);
}

/** Names and conditions come from elsewhere: what a Warning header cannot carry is left out (RFC 9110 5.5). */
function toOneLine(warning: string): string {
  return shorten(warning.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '), MAX_LENGTH);
}

function label({ kind, namespace, name }: SignerRef): string {
  return kind === 'Issuer' ? `Issuer ${namespace}/${name}` : `ClusterIssuer ${name}`;
}

function requestWarnings(csr: CertificateSigningRequest): readonly string[] {
  const isCa = csr.metadata.annotations?.[REQUEST_IS_CA];
  const warnings: string[] = [];
  if (isCa !== undefined && isCa !== 'true' && isCa !== 'false') {
    warnings.push(`${REQUEST_IS_CA}: only "true" asks for a CA, ${quote(isCa)} is ignored`);
  }
  if (readIsCa(csr) && !csr.spec.usages?.includes('cert sign')) {
    warnings.push('a CA without the usage "cert sign" cannot sign certificates');
  }
  return [...warnings, ...durationWarnings(csr)];
}

/** While the issuer is not known, it is taken for a CA, as most are. */
function strictWarnings(requested: RequestedCertificate, issuer: Admitted['issuer']): readonly string[] {
  const type = typeof issuer === 'string' ? 'ca' : issuerType(issuer);
  return type === undefined ? [] : certificateWarnings(requested, type);
}

function durationWarnings(csr: CertificateSigningRequest): readonly string[] {
  const annotated = readRequestDuration(csr);
  const seconds = csr.spec.expirationSeconds;
  if (!annotated.ok || annotated.value === undefined || seconds === undefined) return [];
  if (annotated.value === BigInt(seconds) * SECOND) return [];
  const wins = `${REQUEST_DURATION} (${formatGoDuration(annotated.value)})`;
  return [`spec.expirationSeconds (${seconds}) is ignored: ${wins} wins`];
}

function issuerWarnings(ref: SignerRef, issuer: Issuer, permission: Admitted['permission']): readonly string[] {
  const foreign = foreignType(issuer);
  if (foreign !== undefined) {
    const own = `Countersign signs with ${TYPES_SIGNED_HERE.join(' and ')} only`;
    return [`${label(ref)} is of type ${foreign}: ${own}, the request waits for another signer`];
  }
  if (issuerType(issuer) === undefined)
    return [`${label(ref)} has no type: the request waits until its spec names one`];
  if (isReady(issuer)) return [];
  // The condition may name a Secret: only a requester who was found permitted learns of it.
  const { reason, message } = (permission === 'granted' ? readyCondition(issuer) : undefined) ?? {};
  const why = [reason, message].filter(Boolean).join(': ');
  return [`${label(ref)} is not Ready, the request waits${why === '' ? '' : ` (${why})`}`];
}

function secretWarnings({ issuer, requested }: Admitted, { now, secret }: Circumstances): readonly string[] {
  if (typeof issuer === 'string' || secret === undefined || requested === undefined) return [];
  const { ref, facts } = secret;
  const name = `Secret ${ref.namespace}/${showName(ref.name)}`;
  if (!facts.exists) return [`${name} does not exist: the request waits for it`];
  const { certificateEnds } = facts;
  // A SelfSigned issuer takes the key alone: a certificate beside it says nothing.
  if (certificateEnds === undefined || !signingSecret(issuer.spec, ref.name)?.holdsCa) return [];
  const end = formatDate(certificateEnds.getTime());
  if (certificateEnds <= now) return [`the CA in ${name} has ended: ${end}`];
  const wanted = now.getTime() + requested.lifetimeMs;
  if (certificateEnds.getTime() >= wanted) return [];
  return [`the CA in ${name} ends ${end}, before the certificate would: ${formatDate(wanted)}`];
}

/** A duration may reach beyond what a Date can hold. */
function formatDate(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 19)}Z`;
}

/** The beginning of a value that a requester chose. */
function quote(value: string): string {
  return JSON.stringify(shorten(value, 21));
}
