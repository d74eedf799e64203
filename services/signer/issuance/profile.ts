// The profile of one certificate: what may be issued for a CSR, decided but not yet encoded, as cert-manager's
// certificate template decides it. Takes time and serial as arguments; never judges the request, which must have been
// found valid.

import { readIsCa } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { MILLISECOND } from '@countersign/common/duration.ts';
import { type Extension, findExtension } from '@countersign/common/extension.ts';
import { parseExtKeyUsage } from '@countersign/common/extension-values.ts';
import { isKnownExtKeyUsage, resolveUsages } from '@countersign/common/key-usage.ts';
import { rewriteNameConstraints } from '@countersign/common/name-constraints.ts';
import { EXTENSION } from '@countersign/common/oids.ts';
import type { Pkcs10 } from '@countersign/common/pkcs10.ts';
import { requestedDuration } from '@countersign/common/validate-request.ts';
import type { IssuancePolicy } from './issuance-policy.ts';

/**
 * What the certificate takes from its issuer's certificate. A self-signed one is its own issuer, without key
 * identifier.
 */
export interface IssuerIdentity {
  /** The DER of the Name, byte for byte. */
  readonly subject: Buffer;
  /** The key identifier that the issuer's certificate carries; never computed from its key. */
  readonly subjectKeyIdentifier?: Buffer;
  readonly notAfter?: Date;
}

/** Where relying parties look, from the issuer's spec. */
export interface IssuerUrls {
  readonly crlDistributionPoints: readonly string[];
  readonly ocspServers: readonly string[];
  readonly issuingCertificateUrls: readonly string[];
}

export interface Profile extends IssuerUrls {
  /** The DER of the Name, byte for byte from the request. */
  readonly subject: Buffer;
  readonly hasEmptySubject: boolean;
  /** The DER of the SubjectPublicKeyInfo, byte for byte from the request. */
  readonly publicKey: Buffer;
  /** Big-endian, at most 20 octets, top bit clear. */
  readonly serial: Buffer;
  /** Whole seconds, as is notAfter. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Bit i of the mask (1 << i) is bit i of KeyUsage; 0 for no extension. */
  readonly keyUsage: number;
  /** OIDs in their order, duplicates kept; empty for no extension. */
  readonly extKeyUsages: readonly string[];
  readonly isCa: boolean;
  /** Whether the certificate carries the identifier of its key; that of a CA does (RFC 5280 section 4.2.1.2). */
  readonly hasKeyIdentifier: boolean;
  /** The value of the extension, as the request has it. */
  readonly subjectAltName?: Buffer;
  readonly nameConstraints?: Extension;
  readonly issuer: IssuerIdentity;
}

export interface ProfileInput {
  readonly csr: CertificateSigningRequest;
  /** The request inside the CSR, already parsed. */
  readonly request: Pkcs10;
  readonly issuer: IssuerIdentity;
  readonly urls: IssuerUrls;
  readonly now: Date;
  readonly serial: Buffer;
  readonly policy: IssuancePolicy;
}

/** The profile for a CSR in which validateRequest finds no fault; throws a TypeError for any other. */
export function buildProfile(input: ProfileInput): Profile {
  const { csr, request, issuer, urls, serial, policy } = input;
  const isCa = readIsCa(csr);
  const usages = resolveUsages(csr.spec.usages);
  if (!usages.ok) throw new TypeError(usages.error);
  return {
    subject: request.subject,
    hasEmptySubject: request.hasEmptySubject,
    publicKey: request.spki,
    serial,
    ...validity(input),
    keyUsage: usages.value.keyUsage,
    extKeyUsages: [...usages.value.extKeyUsages, ...unknownExtKeyUsages(request)],
    isCa,
    hasKeyIdentifier: isCa || policy.leafKeyIdentifier,
    ...copiedExtensions(request),
    issuer,
    ...urls,
  };
}

/** A certificate holds a URI as an IA5String (RFC 5280 section 4.2.1.6); no URI has control characters (RFC 3986 section 2). */
export function isAscii(url: string): boolean {
  return /^[ -~]*$/.test(url);
}

/** Go cuts both ends to whole seconds, each for itself, when it encodes them. */
function validity({ csr, now, issuer, policy }: ProfileInput): Pick<Profile, 'notBefore' | 'notAfter'> {
  const wanted = now.getTime() + Number(requestedDuration(csr, policy) / MILLISECOND);
  const ends = policy.clampToCa && issuer.notAfter !== undefined ? Math.min(wanted, issuer.notAfter.getTime()) : wanted;
  return { notBefore: wholeSeconds(now.getTime() - policy.backdate), notAfter: wholeSeconds(ends) };
}

function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

/** cert-manager replaces the usages that Go has a number for and leaves the others of the request in the template. */
function unknownExtKeyUsages(request: Pkcs10): readonly string[] {
  const extension = findExtension(request, EXTENSION.extKeyUsage);
  const oids = extension && parseExtKeyUsage(extension.value);
  return oids?.ok ? oids.value.filter(oid => !isKnownExtKeyUsage(oid)) : [];
}

/** Of the extensions of a request these two reach the certificate; the others are compared with the CSR, or dropped. */
function copiedExtensions(request: Pkcs10): Pick<Profile, 'subjectAltName' | 'nameConstraints'> {
  const names = findExtension(request, EXTENSION.subjectAltName);
  const constraints = findExtension(request, EXTENSION.nameConstraints);
  const rewritten = constraints && rewriteNameConstraints(constraints.value);
  return {
    ...(names && { subjectAltName: names.value }),
    ...(constraints && rewritten?.ok && { nameConstraints: { ...constraints, value: rewritten.value } }),
  };
}
