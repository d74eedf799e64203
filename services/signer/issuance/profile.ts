// Builds the profile of a certificate: its content, decided but not yet encoded, as in cert-manager's certificate
// template. Pure: time and serial are arguments; does not validate the request.

import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import type { IssuancePolicy } from './issuance-policy.ts';

/**
 * What the certificate takes from its issuer's certificate. A self-signed certificate is its own issuer, without
 * key identifier.
 */
export interface IssuerIdentity {
  /** The DER of the Name, byte for byte. */
  readonly subject: Buffer;
  /** The key identifier in the issuer's certificate; never computed from its key. */
  readonly subjectKeyIdentifier?: Buffer;
  readonly notAfter?: Date;
}

/** URLs for relying parties, from the issuer spec. */
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
  /** In whole seconds, like notAfter. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Bit i of the mask (1 << i) is bit i of KeyUsage; 0 for no extension. */
  readonly keyUsage: number;
  /** OIDs in order, including duplicates; empty for no extension. */
  readonly extKeyUsages: readonly string[];
  readonly isCa: boolean;
  /** Whether the certificate has a subjectKeyIdentifier; required for a CA (RFC 5280 section 4.2.1.2). */
  readonly hasKeyIdentifier: boolean;
  /** The value of the extension, as in the request. */
  readonly subjectAltName?: Buffer;
  readonly nameConstraints?: Extension;
  readonly issuer: IssuerIdentity;
}

export interface ProfileInput {
  readonly requested: RequestedCertificate;
  readonly issuer: IssuerIdentity;
  readonly urls: IssuerUrls;
  readonly now: Date;
  readonly serial: Buffer;
  readonly policy: IssuancePolicy;
}

export function buildProfile(input: ProfileInput): Profile {
  const { requested, issuer, urls, serial, policy } = input;
  const { subject, hasEmptySubject, publicKey, usages, isCa, subjectAltName, nameConstraints } = requested;
  return {
    subject,
    hasEmptySubject,
    publicKey,
    serial,
    ...validity(input),
    ...usages,
    isCa,
    hasKeyIdentifier: isCa || policy.leafKeyIdentifier,
    ...(subjectAltName && { subjectAltName }),
    ...(nameConstraints && { nameConstraints }),
    issuer,
    ...urls,
  };
}

/**
 * Certificates encode a URI as IA5String (RFC 5280 section 4.2.1.6); URIs contain no control characters (RFC 3986
 * section 2).
 */
export function isAscii(url: string): boolean {
  return /^[ -~]*$/.test(url);
}

/** Like Go, truncates both times to whole seconds independently. */
function validity({ requested, now, issuer, policy }: ProfileInput): Pick<Profile, 'notBefore' | 'notAfter'> {
  const { backdate, clampToCa } = policy;
  const rules = requested.validityRules ?? { backdateMs: backdate, clampToCa };
  const wanted = now.getTime() + requested.lifetimeMs;
  const ends = rules.clampToCa && issuer.notAfter !== undefined ? Math.min(wanted, issuer.notAfter.getTime()) : wanted;
  return { notBefore: wholeSeconds(now.getTime() - rules.backdateMs), notAfter: wholeSeconds(ends) };
}

function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}
