// Maps the usages of a CSR (spec.usages) to X.509: a bit of KeyUsage (RFC 5280 4.2.1.3) or an OID of ExtendedKeyUsage
// (4.2.1.12), by cert-manager's table (pkg/api/util/kube.go). Never adds a usage.

import { err, ok, type Result } from './result.ts';

type Usage = { readonly bit: number } | { readonly oid: string };

// The 23 names of certificates.k8s.io/v1. Of two synonyms, the one that messages use comes first.
const USAGES: ReadonlyMap<string, Usage> = new Map<string, Usage>([
  ['digital signature', { bit: 0 }],
  ['signing', { bit: 0 }],
  ['content commitment', { bit: 1 }],
  ['key encipherment', { bit: 2 }],
  ['data encipherment', { bit: 3 }],
  ['key agreement', { bit: 4 }],
  ['cert sign', { bit: 5 }],
  ['crl sign', { bit: 6 }],
  ['encipher only', { bit: 7 }],
  ['decipher only', { bit: 8 }],
  ['any', { oid: '2.5.29.37.0' }],
  ['server auth', { oid: '1.3.6.1.5.5.7.3.1' }],
  ['client auth', { oid: '1.3.6.1.5.5.7.3.2' }],
  ['code signing', { oid: '1.3.6.1.5.5.7.3.3' }],
  ['email protection', { oid: '1.3.6.1.5.5.7.3.4' }],
  ['s/mime', { oid: '1.3.6.1.5.5.7.3.4' }],
  ['ipsec end system', { oid: '1.3.6.1.5.5.7.3.5' }],
  ['ipsec tunnel', { oid: '1.3.6.1.5.5.7.3.6' }],
  ['ipsec user', { oid: '1.3.6.1.5.5.7.3.7' }],
  ['timestamping', { oid: '1.3.6.1.5.5.7.3.8' }],
  ['ocsp signing', { oid: '1.3.6.1.5.5.7.3.9' }],
  ['microsoft sgc', { oid: '1.3.6.1.4.1.311.10.3.3' }],
  ['netscape sgc', { oid: '2.16.840.1.113730.4.1' }],
]);

// Known to Go's crypto/x509 although no usage has their name (Microsoft commercial and kernel code signing): a PKCS#10
// request with one of them never matches spec.usages.
const NAMELESS_EXT_KEY_USAGES: ReadonlySet<string> = new Set(['1.3.6.1.4.1.311.2.1.22', '1.3.6.1.4.1.311.61.1.1']);

const DEFAULT_USAGES: readonly string[] = ['digital signature', 'key encipherment'];

/** Bits of KeyUsage (RFC 5280 4.2.1.3). */
export const KEY_CERT_SIGN = 1 << 5;
export const CRL_SIGN = 1 << 6;

/** Bit i of `keyUsage` (1 << i) is bit i of the KeyUsage BIT STRING; OIDs as given, in order, duplicates included. */
export interface X509Usages {
  readonly keyUsage: number;
  readonly extKeyUsages: readonly string[];
}

/** The X.509 form of the usages. No usages default to digital signature and key encipherment, as in cert-manager. */
export function resolveUsages(names: readonly string[] | undefined): Result<X509Usages> {
  const given = names?.length ? names : DEFAULT_USAGES;
  const unknown = given.filter(name => !USAGES.has(name));
  if (unknown.length > 0) return err(`unknown key usages: [${unknown.join(' ')}]`);
  const usages = given.flatMap(name => USAGES.get(name) ?? []);
  return ok({
    keyUsage: usages.reduce((mask, usage) => ('bit' in usage ? mask | (1 << usage.bit) : mask), 0),
    extKeyUsages: usages.flatMap(usage => ('oid' in usage ? usage.oid : [])),
  });
}

/** Whether Go knows the OID. cert-manager compares only such OIDs with spec.usages and keeps the others. */
export function isKnownExtKeyUsage(oid: string): boolean {
  return NAMELESS_EXT_KEY_USAGES.has(oid) || nameOf(usage => 'oid' in usage && usage.oid === oid) !== undefined;
}

/** The names of KeyUsage bits; undefined for a bit without a name. */
export function keyUsageNames(mask: number): readonly (string | undefined)[] {
  return bitsOf(mask, 9).map(keyUsageName);
}

/** The name of an ExtendedKeyUsage OID, if it has one. */
export function extKeyUsageName(oid: string): string | undefined {
  return nameOf(usage => 'oid' in usage && usage.oid === oid);
}

/** Formats KeyUsage bits as cert-manager does: `[ 'digital signature', 'key encipherment' ]`, or `[]`. */
export function formatKeyUsages(mask: number): string {
  return formatNames(keyUsageNames(mask));
}

/** Formats ExtendedKeyUsage OIDs as cert-manager does. */
export function formatExtKeyUsages(oids: readonly string[]): string {
  return formatNames(oids.map(extKeyUsageName));
}

/** The names of the usages, each once: of two synonyms the first, and an OID where there is no name. */
export function usageNames({ keyUsage, extKeyUsages }: X509Usages): readonly string[] {
  const names = [
    ...bitsOf(keyUsage, 31).map(bit => keyUsageName(bit) ?? `bit ${bit}`),
    ...extKeyUsages.map(oid => extKeyUsageName(oid) ?? oid),
  ];
  return [...new Set(names)];
}

/** The name of a usage, of its synonym or of its OID, as usageNames writes it; undefined for any other text. */
export function canonicalUsage(text: string): string | undefined {
  const usage = /^[0-2](\.(0|[1-9][0-9]*))+$/.test(text) ? { oid: text } : USAGES.get(text);
  if (usage === undefined) return undefined;
  const [name] = usageNames({
    keyUsage: 'bit' in usage ? 1 << usage.bit : 0,
    extKeyUsages: 'oid' in usage ? [usage.oid] : [],
  });
  return name;
}

function bitsOf(mask: number, length: number): readonly number[] {
  return Array.from({ length }, (_, bit) => bit).filter(bit => mask & (1 << bit));
}

function keyUsageName(bit: number): string | undefined {
  return nameOf(usage => 'bit' in usage && usage.bit === bit);
}

function nameOf(isIt: (usage: Usage) => boolean): string | undefined {
  return USAGES.entries().find(([, usage]) => isIt(usage))?.[0];
}

function formatNames(names: readonly (string | undefined)[]): string {
  if (names.length === 0) return '[]';
  return `[${names.map(name => ` '${name ?? 'unknown'}'`).join(',')} ]`;
}
