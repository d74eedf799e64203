// The name constraints of issuers as the signer publishes them for the webhook, which reads no Secrets: one ConfigMap in the own
// namespace. Nothing in it is secret: all of it is in the certificates of the CAs. Pure; writes and reads the text alone.

import { formatSignerName, type SignerRef } from './signer-name.ts';
import { type ConstrainedCa, parseNameConstraints } from './x509/name-constraints/constraint-subtrees.ts';

export const CONSTRAINTS_CONFIG_MAP = 'countersign-name-constraints';
export const CONSTRAINTS_KEY = 'issuers.json';

/** Characters. An object takes 1 MiB; one issuer, whose Secret a tenant may fill, must not take the room of the others. */
export const MAX_PUBLISHED = 524_288;
export const MAX_PUBLISHED_OF_ISSUER = 65_536;

/** One issuer: which object it is, and for each constrained CA of its chain its Name and the value of the extension, in base64. */
export interface PublishedIssuer {
  readonly uid: string;
  readonly cas: readonly { readonly subject: string; readonly critical: boolean; readonly constraints: string }[];
}

/** By signer name, which has kind, namespace and name. */
export type PublishedConstraints = Readonly<Record<string, PublishedIssuer>>;

export function toPublished(uid: string, cas: readonly ConstrainedCa[]): PublishedIssuer {
  const encoded = cas.map(({ subject, constraints }) => ({
    subject: subject.toString('base64'),
    critical: constraints.extension.critical,
    constraints: constraints.extension.value.toString('base64'),
  }));
  return { uid, cas: encoded };
}

/** The text, empty without issuers, and which issuers do not fit: the largest. */
export function formatPublished(issuers: ReadonlyMap<string, PublishedIssuer>): {
  readonly text: string;
  readonly leftOut: readonly string[];
} {
  const rows = [...issuers].map(([name, issuer]) => ({
    name,
    row: `${JSON.stringify(name)}:${JSON.stringify(issuer)}`,
  }));
  const sorted = rows.toSorted((a, b) => a.row.length - b.row.length || (a.name < b.name ? -1 : 1));
  const kept: string[] = [];
  const leftOut: string[] = [];
  let left = MAX_PUBLISHED;
  for (const { name, row } of sorted) {
    const fits = row.length < left && row.length <= MAX_PUBLISHED_OF_ISSUER;
    if (fits) left -= row.length + 1;
    (fits ? kept : leftOut).push(fits ? row : name);
  }
  return { text: kept.length === 0 ? '' : `{${kept.join(',\n')}}`, leftOut };
}

/** Throws for a text that formatPublished has not written. */
export function parsePublished(text: string): PublishedConstraints {
  const issuers = JSON.parse(text) as PublishedConstraints;
  const isWhole = Object.values(issuers).every(({ uid, cas }) => typeof uid === 'string' && Array.isArray(cas));
  if (!isWhole) throw new TypeError('malformed issuer name constraints');
  return issuers;
}

/** For the issuer with this uid; undefined for one that was recreated since. */
export function findPublished(issuers: PublishedConstraints, ref: SignerRef, uid: string): PublishedIssuer | undefined {
  const name = formatSignerName(ref);
  const issuer = Object.hasOwn(issuers, name) ? issuers[name] : undefined;
  return issuer?.uid === uid ? issuer : undefined;
}

/** Those that can be read: the signer decides in the end. */
export function fromPublished({ cas }: PublishedIssuer): readonly ConstrainedCa[] {
  return cas.flatMap(({ subject, critical, constraints }) => {
    const parsed = parseNameConstraints({ critical, value: Buffer.from(constraints, 'base64') });
    return parsed.ok ? [{ subject: Buffer.from(subject, 'base64'), constraints: parsed.value }] : [];
  });
}
