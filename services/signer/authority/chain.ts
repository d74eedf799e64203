// Puts certificates in line, from the signer up, as cert-manager's ParseSingleCertificateChain does: whatever does not
// make one single chain is refused. Links by name and signature; judges no dates and trusts nobody.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { readWhole } from '@countersign/common/x509/der.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { verifySignature } from '@countersign/common/x509/signature.ts';
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
   * What goes above the leaf: all but those that have signed themselves. Of the top, relying parties have their own (RFC 5246
   * section 7.4.2); one below it, from when its CA was a root, would end the way up for who knows the top alone.
   */
  readonly aboveLeafPem: string;
  readonly topPem: string;
  /** The top, if it has signed itself; else empty, for the root is not known. */
  readonly rootPem: string;
  /** Those that limit by name constraints what is signed below them, the root included: Go and OpenSSL honour its as well. */
  readonly constrained: readonly ConstrainedCa[];
}

/** Four times what a CA takes whose 32 certificates have names of their own; eight of one name take as many. */
const MAX_VERIFICATIONS = 64;

/**
 * Links the certificates of a CA, of which the first is the one that signs; duplicates do not matter, and neither does
 * the order of the others (cert-manager's search finds the chain of cross-signed CAs in some orders only). Done once for a
 * Secret, before anything is signed: the errors are those that cert-manager finds after. Verifies off the main thread, and
 * no more than a bounded number of signatures: a tenant chooses the certificates.
 */
export async function linkIssuerChain(certificates: readonly CaCertificate[]): Promise<Result<IssuerChain>> {
  const [signer] = certificates;
  const unique = [
    ...new Map(certificates.map(certificate => [certificate.der.toString('latin1'), certificate])).values(),
  ];
  if (!signer || !unique.every(({ canSignCertificates }) => canSignCertificates)) return err(BROKEN);
  const signedBy = await findHolders(unique);
  if (!signedBy.ok) return signedBy;
  const chain = lineUp(signer, unique, signedBy.value);
  const top = chain?.at(-1);
  if (!chain || !top) return err(BROKEN);
  const shown = chain.filter(certificate => signedBy.value.get(certificate) !== holderOf(certificate));
  return ok({
    aboveLeafPem: shown.map(({ pem }) => pem).join(''),
    topPem: top.pem,
    rootPem: shown.includes(top) ? '' : top.pem,
    constrained: chain.flatMap(toConstrained),
  });
}

function toConstrained({ subject, nameConstraints: constraints }: CaCertificate): readonly ConstrainedCa[] {
  const name = readWhole(subject);
  return constraints !== undefined && name.ok ? [{ subject: name.value.value, constraints }] : [];
}

const BROKEN = 'certificate chain is malformed or broken';

/** The chain of a certificate that was just signed by the CA, or that is its own issuer; up to its root only on demand. */
export function completeChain(
  leafPem: string,
  authority: { readonly chain: IssuerChain; readonly rootInChain: boolean } | undefined,
): Chain {
  if (authority === undefined) return { chainPem: leafPem, topPem: leafPem };
  const { aboveLeafPem, topPem, rootPem } = authority.chain;
  return { chainPem: leafPem + aboveLeafPem + (authority.rootInChain ? rootPem : ''), topPem };
}

/** The holder, among those of the certificates, that has signed each; absent for one that none of them has signed. */
type SignedBy = ReadonlyMap<CaCertificate, string>;

async function findHolders(certificates: readonly CaCertificate[]): Promise<Result<SignedBy>> {
  const holders = new Map(certificates.map(certificate => [holderOf(certificate), certificate]));
  const found = new Map<CaCertificate, string>();
  let left = MAX_VERIFICATIONS;
  for (const certificate of certificates) {
    for (const [holder, issuer] of holders) {
      if (!certificate.issuer.equals(issuer.subject)) continue;
      if (left === 0) return err(`certificate chain requires more than ${MAX_VERIFICATIONS} signature checks to link`);
      left -= 1;
      if (!(await hasSigned(issuer, certificate))) continue;
      found.set(certificate, holder);
      break;
    }
  }
  return ok(found);
}

/**
 * All of the certificates in one line, the lowest first. Each leads from its holder to the one that has signed it, so that the
 * line is a way over all of them, each once: Hierholzer's algorithm finds one if there is any, also through CAs that have
 * certificates of several others, where taking the next best would lose its way in one order and not in another.
 */
function lineUp(
  signer: CaCertificate,
  certificates: readonly CaCertificate[],
  signedBy: SignedBy,
): readonly CaCertificate[] | undefined {
  // In an order of their own, so that of several ways it is always the same one.
  const left = Map.groupBy(
    certificates.toSorted((a, b) => a.der.compare(b.der)),
    holderOf,
  );
  const line: CaCertificate[] = [];
  const climb = (holder: string): void => {
    for (let next = left.get(holder)?.pop(); next !== undefined; next = left.get(holder)?.pop()) {
      const issuer = signedBy.get(next);
      if (issuer !== undefined) climb(issuer);
      line.unshift(next);
    }
  };
  climb(holderOf(signer));
  const isLinked = line.every((upper, at) => at === 0 || signedBy.get(line[at - 1] ?? upper) === holderOf(upper));
  return isLinked && line.length === certificates.length ? line : undefined;
}

/** A renewed certificate of the same name and key is as good as the first: what was signed links to either. */
function holderOf({ subject, spki }: CaCertificate): string {
  return `${subject.toString('latin1')}${spki.toString('latin1')}`;
}

/** Of certificates that may sign others: Go's CheckSignatureFrom; SHA-1 is no good here, as there. */
function hasSigned(issuer: CaCertificate, subject: CaCertificate): Promise<boolean> {
  return verifySignature({ ...subject.signed, spki: issuer.spki }, 'no sha1');
}
