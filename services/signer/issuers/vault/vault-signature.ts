// What is sent to Vault for one request, and the chain in its answer: the same as cert-manager sends and reads. Pure;
// whether the certificate is the requested one is checked before it is written.

import { judgedNames } from '@countersign/common/approval/request/judged-names.ts';
import { formatGoDuration, MILLISECOND } from '@countersign/common/duration.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { isValidSignature } from '@countersign/common/x509/signature.ts';
import { type CaCertificate, parseCertificates } from '../../authority/ca-certificate.ts';

/** The names are in the PKCS#10 request, too; Vault reads these if its role has use_csr_sans set to false. */
export function signBody(requested: RequestedCertificate): Readonly<Record<string, string>> {
  const names = judgedNames(requested.subject, requested.subjectAltName);
  const of = (field: string) => names.filter(name => name.field === field).map(({ value }) => value);
  return {
    csr: Buffer.from(requested.sent?.request ?? '', 'base64').toString(),
    common_name: of('commonName').at(-1) ?? '',
    alt_names: of('dnsNames').join(','),
    ip_sans: of('ipAddresses').join(','),
    uri_sans: of('uris').join(','),
    ttl: formatGoDuration(BigInt(requested.lifetimeMs) * MILLISECOND),
    exclude_cn_from_sans: 'true',
  };
}

/** The server chooses them, and each may cost several signature checks. */
const MAX_ABOVE = 10;

export interface VaultChain {
  /** PEM, leaf first, without a self-signed root. */
  readonly chainPem: string;
  readonly topPem: string;
}

/** `data` of the answer: certificate, issuing_ca and ca_chain. */
export function readChain(data: unknown, rootInChain: boolean): Result<VaultChain> {
  const { certificate, issuing_ca: issuer, ca_chain: above } = (data ?? {}) as Record<string, unknown>;
  if (typeof certificate !== 'string') return err('the answer of Vault has no certificate');
  const pems = [certificate, ...textsOf([issuer]), ...textsOf(above).slice(0, MAX_ABOVE)];
  const parsed = parseCertificates(`${[...new Set(pems.map(pem => pem.trim()))].join('\n')}\n`);
  if (!parsed.ok) return err(`failed to parse certificate chain from vault: ${parsed.error}`);
  const [leaf, ...others] = parsed.value;
  return leaf === undefined
    ? err('the answer of Vault has no certificate')
    : ok(split(climb(leaf, others), rootInChain));
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string' && each !== '') : [];
}

/** The chain from the leaf to the highest known certificate, by name and signature. */
function climb(leaf: CaCertificate, others: readonly CaCertificate[]): readonly CaCertificate[] {
  const left = [...others];
  const chain = [leaf];
  for (let low = leaf; !isSelfSigned(low); ) {
    const at = left.findIndex(each => each.subject.equals(low.issuer) && isSignedBy(low, each));
    const [next] = at < 0 ? [] : left.splice(at, 1);
    if (next === undefined) break;
    chain.push(next);
    low = next;
  }
  return chain;
}

function isSelfSigned({ subject, issuer }: CaCertificate): boolean {
  return subject.equals(issuer);
}

function isSignedBy({ signed }: CaCertificate, { spki }: CaCertificate): boolean {
  return isValidSignature({ ...signed, spki }, 'no sha1');
}

function split(chain: readonly CaCertificate[], rootInChain: boolean): VaultChain {
  const top = chain.at(-1);
  const hidesTop = !rootInChain && chain.length > 1 && top !== undefined && isSelfSigned(top);
  const shown = hidesTop ? chain.slice(0, -1) : chain;
  return { chainPem: shown.map(({ pem }) => pem).join(''), topPem: top?.pem ?? '' };
}
