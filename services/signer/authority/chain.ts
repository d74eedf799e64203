// Orders certificates from the signer up, as cert-manager's ParseSingleCertificateChain does: anything that does not
// form a single chain is rejected. Links by name and signature; checks no dates and no trust.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { readWhole } from '@countersign/common/x509/der.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { verifySignature } from '@countersign/common/x509/signature.ts';
import type { CaCertificate } from './ca-certificate.ts';

/**
 * The content of status.certificate (leaf first), and the top of the chain for the `ca` annotation. Both are PEM
 * without comments.
 */
export interface Chain {
  readonly chainPem: string;
  readonly topPem: string;
}

/** A CA's certificates, known to form one chain from the signing certificate to the top. */
export interface IssuerChain {
  /**
   * The certificates above the leaf, without self-signed ones. Relying parties have their own copy of the top (RFC 5246
   * section 7.4.2); a self-signed one below it, from when its CA was a root, would end the path for clients that trust
   * only the top.
   */
  readonly aboveLeafPem: string;
  readonly topPem: string;
  /** The top if it is self-signed; otherwise empty, since the root is unknown. */
  readonly rootPem: string;
  /**
   * The CAs whose name constraints limit what is signed below them. Includes the root: Go and OpenSSL honour its
   * constraints as well.
   */
  readonly constrained: readonly ConstrainedCa[];
}

/**
 * Four times what 32 certificates with distinct names require; eight certificates with the same name require as many.
 */
const MAX_VERIFICATIONS = 64;

/**
 * Links the certificates of a CA, signing certificate first. Duplicates and the order of the others do not matter
 * (cert-manager's search finds the chain of cross-signed CAs only in some orders). Runs once per Secret, before
 * anything is signed, and reports the errors that cert-manager reports afterwards. Verifies off the main thread, with a
 * bounded number of signature checks, since tenants choose the certificates.
 */
export async function linkIssuerChain(certificates: readonly CaCertificate[]): Promise<Result<IssuerChain>> {
  const [signer] = certificates;
  const unique = [
    ...new Map(certificates.map(certificate => [certificate.der.toString('latin1'), certificate])).values(),
  ];
  if (!signer || !unique.every(({ canSignCertificates }) => canSignCertificates)) return err(BROKEN);
  const signedBy = await findHolders(unique);
  if (!signedBy.ok) return signedBy;
  const chain = orderChain(signer, unique, signedBy.value);
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

/** Returns the chain of a certificate just signed by the CA, or by its own key. Includes the root only on demand. */
export function completeChain(
  leafPem: string,
  authority: { readonly chain: IssuerChain; readonly rootInChain: boolean } | undefined,
): Chain {
  if (authority === undefined) return { chainPem: leafPem, topPem: leafPem };
  const { aboveLeafPem, topPem, rootPem } = authority.chain;
  return { chainPem: leafPem + aboveLeafPem + (authority.rootInChain ? rootPem : ''), topPem };
}

/** The holder that signed each certificate; absent if none of them did. */
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
 * Returns all certificates in one chain, lowest first. Each certificate is an edge from its holder to its signer, so
 * the chain is an Eulerian path: Hierholzer's algorithm finds one if it exists, even through cross-signed CAs, where a
 * greedy search fails in some orders.
 */
function orderChain(
  signer: CaCertificate,
  certificates: readonly CaCertificate[],
  signedBy: SignedBy,
): readonly CaCertificate[] | undefined {
  // Sorted, so that the result does not depend on the input order.
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

/**
 * Identifies the holder of a certificate. A renewed certificate with the same name and key is equivalent: either
 * verifies what was signed.
 */
function holderOf({ subject, spki }: CaCertificate): string {
  return `${subject.toString('latin1')}${spki.toString('latin1')}`;
}

/** Go's CheckSignatureFrom, for certificates that may sign others; like Go, rejects SHA-1. */
function hasSigned(issuer: CaCertificate, subject: CaCertificate): Promise<boolean> {
  return verifySignature({ ...subject.signed, spki: issuer.spki }, 'no sha1');
}
