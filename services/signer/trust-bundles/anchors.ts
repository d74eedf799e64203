// Finds the trust anchors of a CA: the certificates by which what it signs is verified. Judges no dates and trusts no
// one. Pure.

import { hash } from 'node:crypto';
import { verifySignature } from '@countersign/common/x509/signature.ts';
import { type CaCertificate, parseReadableCertificates } from '../authority/ca-certificate.ts';
import type { IssuerChain } from '../authority/chain.ts';

/** A certificate as a ClusterTrustBundle holds it. */
export interface Anchor {
  /** SHA-256 of the DER, in hexadecimal. */
  readonly fingerprint: string;
  readonly pem: string;
  readonly notAfter: Date;
}

export interface CaAnchors {
  /** Empty where none can be published: the API server demands the CA flag. */
  readonly anchors: readonly Anchor[];
  /** Whether one of them is an intermediate, since no root of the chain is known. */
  readonly isRootUnknown: boolean;
}

/** What the Secret of an issuer says about its CA. */
export interface CaMaterial {
  /** The certificate that signs. */
  readonly certificate: CaCertificate;
  readonly chain: Pick<IssuerChain, 'topPem'>;
  /** PEM of `ca.crt`; empty where there is none. */
  readonly trustedPem: string;
}

/**
 * All self-signed certificates of `ca.crt`, so that the next root can be announced before the CA changes, and of the
 * chain. Where none of them has signed the top of the chain, the top is an anchor too: otherwise nothing that the CA
 * signs could be verified.
 */
export async function findAnchors({ certificate, chain, trustedPem }: CaMaterial): Promise<CaAnchors> {
  const tops = parseReadableCertificates(chain.topPem);
  const candidates = [...parseReadableCertificates(trustedPem), certificate, ...tops];
  const roots = await filterSelfSigned(uniqueOf(candidates));
  const top = tops[0] ?? certificate;
  const isRootUnknown = !(await isSignedByOneOf(roots, top));
  const found = isRootUnknown ? [...roots, top] : roots;
  return { anchors: found.filter(({ isCa }) => isCa).map(toAnchor), isRootUnknown };
}

export function fingerprintOf(der: Buffer): string {
  return hash('sha256', der, 'hex');
}

function uniqueOf(certificates: readonly CaCertificate[]): readonly CaCertificate[] {
  return [...new Map(certificates.map(each => [each.der.toString('latin1'), each])).values()];
}

async function filterSelfSigned(certificates: readonly CaCertificate[]): Promise<readonly CaCertificate[]> {
  const found: CaCertificate[] = [];
  for (const certificate of certificates) if (await hasSigned(certificate, certificate)) found.push(certificate);
  return found;
}

async function isSignedByOneOf(roots: readonly CaCertificate[], certificate: CaCertificate): Promise<boolean> {
  for (const root of roots) if (await hasSigned(root, certificate)) return true;
  return false;
}

/**
 * SHA-1 is accepted: verifiers do not check the signature of a root. Another certificate with it is refused by
 * the chain.
 */
async function hasSigned(issuer: CaCertificate, certificate: CaCertificate): Promise<boolean> {
  if (!certificate.issuer.equals(issuer.subject)) return false;
  return verifySignature({ ...certificate.signed, spki: issuer.spki }, 'sha1');
}

function toAnchor({ der, pem, notAfter }: CaCertificate): Anchor {
  return { fingerprint: fingerprintOf(der), pem, notAfter };
}
