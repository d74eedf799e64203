// The name constraints of issuers, which the signer publishes for the webhook, which reads no Secrets: one ConfigMap
// in its own namespace. Nothing in it is secret: all of it is in the CA certificates. Pure; only formats and parses
// the text.

import { formatSignerName, type SignerRef } from '../signer-name.ts';
import { type ConstrainedCa, parseNameConstraints } from '../x509/name-constraints/constraint-subtrees.ts';

export const CONSTRAINTS_CONFIG_MAP = 'countersign-name-constraints';
export const CONSTRAINTS_KEY = 'issuers.json';

/**
 * Characters. An object can have 1 MiB; one issuer, whose Secret a tenant controls, must not use the space of
 * the others.
 */
export const MAX_PUBLISHED = 524_288;
export const MAX_PUBLISHED_OF_ISSUER = 65_536;

/**
 * One issuer: its uid and, for each constrained CA in its chain, the Name and the value of the extension, in base64.
 */
export interface PublishedIssuer {
  readonly uid: string;
  readonly cas: readonly { readonly subject: string; readonly critical: boolean; readonly constraints: string }[];
}

/** By signer name, which identifies kind, namespace and name. */
export type PublishedConstraints = Readonly<Record<string, PublishedIssuer>>;

export function toPublished(uid: string, cas: readonly ConstrainedCa[]): PublishedIssuer {
  const encoded = cas.map(({ subject, constraints }) => ({
    subject: subject.toString('base64'),
    critical: constraints.extension.critical,
    constraints: constraints.extension.value.toString('base64'),
  }));
  return { uid, cas: encoded };
}

/** The text, empty without issuers, and the issuers that do not fit, the largest ones. */
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

/** Throws for text that formatPublished did not write. */
export function parsePublished(text: string): PublishedConstraints {
  const issuers = JSON.parse(text) as PublishedConstraints;
  const isWhole = Object.values(issuers).every(({ uid, cas }) => typeof uid === 'string' && Array.isArray(cas));
  if (!isWhole) throw new TypeError('malformed issuer name constraints');
  return issuers;
}

/** The entry of the issuer with this uid; undefined if the issuer was recreated since. */
export function findPublished(issuers: PublishedConstraints, ref: SignerRef, uid: string): PublishedIssuer | undefined {
  const name = formatSignerName(ref);
  const issuer = Object.hasOwn(issuers, name) ? issuers[name] : undefined;
  return issuer?.uid === uid ? issuer : undefined;
}

/** Skips what cannot be parsed: the signer has the final decision. */
export function fromPublished({ cas }: PublishedIssuer): readonly ConstrainedCa[] {
  return cas.flatMap(({ subject, critical, constraints }) => {
    const parsed = parseNameConstraints({ critical, value: Buffer.from(constraints, 'base64') });
    return parsed.ok ? [{ subject: Buffer.from(subject, 'base64'), constraints: parsed.value }] : [];
  });
}
