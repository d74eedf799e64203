// Puts certificates in line, from the signer up, as cert-manager's ParseSingleCertificateChain does: whatever does not
// make one single chain is refused. Links by name and signature; judges no dates and trusts nobody.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { isValidSignature } from '@countersign/common/signature.ts';
import type { CaCertificate } from './ca-certificate.ts';
import type { IssuancePolicy } from './issuance-policy.ts';

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
   * What goes above the leaf: all but those that have signed themselves. Of the top, relying parties have their own (RFC 5246
   * section 7.4.2); one below it, from when its CA was a root, would end the way up for who knows the top alone.
   */
  readonly aboveLeafPem: string;
  readonly topPem: string;
  /** The top, if it has signed itself; else empty, for the root is not known. */
  readonly rootPem: string;
}

/** cert-manager's bound on a search that is quadratic where all certificates have the same name. */
const MAX_CERTIFICATES = 1000;

/**
 * Links the certificates of a CA, of which the first is the one that signs; duplicates do not matter, and neither does
 * the order of the others (cert-manager's search finds the chain of cross-signed CAs in some orders only). Done once for a
 * Secret, before anything is signed: the errors are those that cert-manager finds after.
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
  const canAllSign = unique.every(({ canSignCertificates }) => canSignCertificates);
  const chain = signer && canAllSign ? lineUp(signer, unique) : undefined;
  const top = chain?.at(-1);
  if (!chain || !top) return err('certificate chain is malformed or broken');
  const shown = chain.filter(certificate => !hasSigned(certificate, certificate));
  return ok({
    aboveLeafPem: shown.map(({ pem }) => pem).join(''),
    topPem: top.pem,
    rootPem: shown.includes(top) ? '' : top.pem,
  });
}

/** The chain of a certificate that was just signed by the CA; up to its root only for an operator who wants it. */
export function completeChain(
  leafPem: string,
  { aboveLeafPem, topPem, rootPem }: IssuerChain,
  { rootInChain }: Pick<IssuancePolicy, 'rootInChain'>,
): Chain {
  return { chainPem: leafPem + aboveLeafPem + (rootInChain ? rootPem : ''), topPem };
}

/** A certificate that signed itself is its own chain and its own top. */
export function selfSignedChain(leafPem: string): Chain {
  return { chainPem: leafPem, topPem: leafPem };
}

/**
 * All of the certificates in one line, the lowest first. Each leads from its holder to whoever has signed it, so that the
 * line is a way over all of them, each once: Hierholzer's algorithm finds one if there is any, also through CAs that have
 * certificates of several others, where taking the next best would lose its way in one order and not in another.
 */
function lineUp(signer: CaCertificate, certificates: readonly CaCertificate[]): readonly CaCertificate[] | undefined {
  // In an order of their own, so that of several ways it is always the same one.
  const left = Map.groupBy(
    certificates.toSorted((a, b) => a.der.compare(b.der)),
    holderOf,
  );
  const line: CaCertificate[] = [];
  const climb = (holder: string): void => {
    for (let next = left.get(holder)?.pop(); next !== undefined; next = left.get(holder)?.pop()) {
      const issuer = findIssuer(next, certificates);
      if (issuer !== undefined) climb(holderOf(issuer));
      line.unshift(next);
    }
  };
  climb(holderOf(signer));
  const isLinked = line.every((upper, at) => at === 0 || hasSigned(upper, line[at - 1] ?? upper));
  return isLinked && line.length === certificates.length ? line : undefined;
}

/** A renewed certificate of the same name and key is as good as the first: what was signed links to either. */
function holderOf({ subject, spki }: CaCertificate): string {
  return `${subject.toString('latin1')}${spki.toString('latin1')}`;
}

function findIssuer(subject: CaCertificate, certificates: readonly CaCertificate[]): CaCertificate | undefined {
  return certificates.find(certificate => hasSigned(certificate, subject));
}

/** Of certificates that may sign others: Go's CheckSignatureFrom and the comparison of names; SHA-1 is no good here, as there. */
function hasSigned(issuer: CaCertificate, subject: CaCertificate): boolean {
  if (!subject.issuer.equals(issuer.subject)) return false;
  return isValidSignature({ ...subject.signed, spki: issuer.spki }, 'no sha1');
}
