// Compares the names of a remotely issued certificate with those of its request: which were added that make it speak
// for someone else, and which differences are worth a warning. Pure.

import { type JudgedName, judgedNames } from '@countersign/common/approval/request/judged-names.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

interface Names {
  /** The DER of the Name. */
  readonly subject: Buffer;
  /** The value of the extension. */
  readonly subjectAltName: Buffer | undefined;
}

/**
 * Attributes that the owner of an issuer may add to every subject, as the roles of Vault do. They identify an
 * organization, not a holder.
 */
const ISSUER_FIELDS: ReadonlySet<string> = new Set([
  'subject.countries',
  'subject.localities',
  'subject.provinces',
  'subject.streetAddresses',
  'subject.organizations',
  'subject.organizationalUnits',
  'subject.postalCodes',
]);

/** Names shown in one message, and characters of each. */
const MAX_SHOWN = 5;
const MAX_LENGTH = 100;

/** Why the certificate must not be written. */
export function findNameFault(issued: Names, requested: RequestedCertificate): string | undefined {
  const asked = judgedNames(requested.subject, undefined);
  const sent = generalNames(requested.subjectAltName);
  const isForeign = (name: JudgedName) =>
    !has(asked, name) && !ISSUER_FIELDS.has(name.field) && !isPromoted(name, sent);
  if (judgedNames(issued.subject, undefined).some(isForeign)) {
    return 'the subject of the certificate differs from the requested one';
  }
  const known = new Set(sent.map(({ id }) => id));
  const extra = generalNames(issued.subjectAltName).filter(
    ({ id, dns }) => !known.has(id) && !isCommonName(asked, dns),
  );
  return extra.length > 0 ? `the certificate has ${extra.length} names that were not requested` : undefined;
}

/** What a reader of the request would not expect; empty if the names are the requested ones. */
export function findNameDifferences(issued: Names, requested: RequestedCertificate): readonly string[] {
  const now = judgedNames(issued.subject, issued.subjectAltName);
  const before = judgedNames(requested.subject, requested.subjectAltName);
  const missing = before.filter(name => !has(now, name));
  const added = now.filter(name => !has(before, name));
  return [
    ...(missing.length > 0 ? [`missing: ${show(missing)}`] : []),
    ...(added.length > 0 ? [`added: ${show(added)}`] : []),
  ];
}

function has(names: readonly JudgedName[], { field, value }: JudgedName): boolean {
  return names.some(name => name.field === field && name.value === value);
}

/** Many authorities repeat the common name among the DNS names. */
function isCommonName(asked: readonly JudgedName[], dns: string | undefined): boolean {
  return asked.some(({ field, value }) => field === 'commonName' && value.toLowerCase() === dns?.toLowerCase());
}

/** Some ACME servers make a DNS name the common name of a request that has none. */
function isPromoted({ field, value }: JudgedName, sent: readonly SentName[]): boolean {
  return field === 'commonName' && sent.some(({ dns }) => dns?.toLowerCase() === value.toLowerCase());
}

/** A name as octets with its tag; `dns` is the text of a DNS name. */
interface SentName {
  readonly id: string;
  readonly dns?: string;
}

function generalNames(subjectAltName: Buffer | undefined): readonly SentName[] {
  const names = subjectAltName && readGeneralNames(subjectAltName);
  if (!names?.ok) return [];
  return names.value.map(({ tag, value, bytes }) => {
    return { id: bytes.toString('hex'), ...(tag === GENERAL_NAME.dnsName && { dns: value.toString('latin1') }) };
  });
}

function show(names: readonly JudgedName[]): string {
  const shown = names.slice(0, MAX_SHOWN).map(({ field, value }) => `${field} ${shorten(value, MAX_LENGTH)}`);
  return names.length > MAX_SHOWN ? `${shown.join(', ')} and ${names.length - MAX_SHOWN} more` : shown.join(', ');
}
