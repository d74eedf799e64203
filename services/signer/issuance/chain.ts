// Puts certificates in line, from the signer up, as cert-manager's ParseSingleCertificateChain does: whatever does not
// make one single chain is refused. Links by name and signature; judges no dates and trusts nobody.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { isValidSignature } from '@countersign/common/signature.ts';
import type { CaCertificate } from './ca-certificate.ts';

/**
 * What status.certificate gets (leaf first), and the top of the chain, for the `ca` annotation. Both PEM without
 * comments.
 */
export interface Chain {
  readonly chainPem: string;
  readonly topPem: string;
}

/** A CA's certificates that are known to make one chain: from the one that signs up to the top. */
export interface IssuerChain {
  /**
   * What goes above the leaf: all but a self-signed top, which its relying parties have anyway (RFC 5246 section
   * 7.4.2).
   */
  readonly aboveLeafPem: string;
  readonly topPem: string;
}

/** cert-manager's bound on a search that is quadratic. */
const MAX_CERTIFICATES = 1000;

/**
 * Links the certificates of a CA, of which the first is the one that signs; duplicates do not matter, and neither does
 * the order of the others. Done once for a Secret, before anything is signed: the errors are those that cert-manager
 * finds after.
 */
export function linkIssuerChain(certificates: readonly CaCertificate[]): Result<IssuerChain> {
  const [signer] = certificates;
  const unique = [
    ...new Map(certificates.map(certificate => [certificate.der.toString('latin1'), certificate])).values(),
  ];
  // The leaf counts too.
  if (unique.length >= MAX_CERTIFICATES) {
    return err(`certificate chain is too long, must be less than ${MAX_CERTIFICATES} certificates`);
  }
  const chain = mergeAll(unique);
  const [bottom] = chain ?? [];
  const top = chain?.at(-1);
  if (!chain || !signer || !bottom || !top || !isSameSigner(bottom, signer)) {
    return err('certificate chain is malformed or broken');
  }
  const shown = hasSigned(top, top) ? chain.slice(0, -1) : chain;
  return ok({ aboveLeafPem: shown.map(({ pem }) => pem).join(''), topPem: top.pem });
}

/** The chain of a certificate that was just signed by the CA. */
export function completeChain(leafPem: string, { aboveLeafPem, topPem }: IssuerChain): Chain {
  return { chainPem: leafPem + aboveLeafPem, topPem };
}

/** A certificate that signed itself is its own chain and its own top. */
export function selfSignedChain(leafPem: string): Chain {
  return { chainPem: leafPem, topPem: leafPem };
}

type Line = readonly CaCertificate[];

/** Takes the last line and joins it to another until one is left; undefined when one does not join to any. */
function mergeAll(certificates: readonly CaCertificate[]): Line | undefined {
  const lines: Line[] = certificates.map(certificate => [certificate]);
  while (lines.length > 1) {
    const last = lines.pop() ?? [];
    const at = lines.findIndex(line => merge(last, line) !== undefined);
    const merged = merge(last, lines[at] ?? []);
    if (merged === undefined) return undefined;
    lines[at] = merged;
  }
  return lines[0];
}

/** One line on top of the other, whichever way its bottom has signed the other's top. */
function merge(a: Line, b: Line): Line | undefined {
  if (isAbove(a, b)) return [...b, ...a];
  return isAbove(b, a) ? [...a, ...b] : undefined;
}

function isAbove(upper: Line, lower: Line): boolean {
  const bottom = upper[0];
  const top = lower.at(-1);
  return bottom !== undefined && top !== undefined && hasSigned(bottom, top);
}

/** Go's CheckSignatureFrom together with the comparison of names; SHA-1 is no good here, as there. */
function hasSigned(issuer: CaCertificate, subject: CaCertificate): boolean {
  if (!subject.issuer.equals(issuer.subject) || !issuer.canSignCertificates) return false;
  return isValidSignature({ ...subject.signed, spki: issuer.spki }, 'no sha1');
}

/** A renewed CA certificate of the same name and key is as good as the first: what was signed links to either. */
function isSameSigner(bottom: CaCertificate, signer: CaCertificate): boolean {
  return bottom.canSignCertificates && bottom.subject.equals(signer.subject) && bottom.spki.equals(signer.spki);
}
