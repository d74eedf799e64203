// Parses the attributes of a Name (RFC 5280 section 4.1.2.4), as text for messages and in the form that OpenSSL
// compares. Pure; expects Names that checkName accepts, and never judges one.

import { decodeOid, readChildren, TAG, type Tlv } from '../der.ts';

export interface Attribute {
  readonly oid: string;
  /** Identifier octet of the value's string type. */
  readonly tag: number;
  readonly value: Buffer;
  /** The value as text. */
  readonly text: string;
}

/** Attributes of one RelativeDistinguishedName. */
export type Rdn = readonly Attribute[];

export const ATTRIBUTE = { commonName: '2.5.4.3', emailAddress: '1.2.840.113549.1.9.1' } as const;

/** RFC 4514 section 3, and the usual names of others. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [ATTRIBUTE.commonName, 'CN'],
  [ATTRIBUTE.emailAddress, 'emailAddress'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
]);

const BMP_STRING = 0x1e;
const UTF8_STRING = 0x0c;

/** OpenSSL compares these types by character, all others by octet. */
const COMPARED_AS_TEXT: ReadonlySet<number> = new Set([UTF8_STRING, 0x13, 0x14, 0x16, 0x1a, BMP_STRING]);

/** The RDNs in order; none if the Name cannot be parsed. `content` is the content of its SEQUENCE. */
export function readRdns(content: Buffer): readonly Rdn[] {
  return childrenOf(content).map(({ value }) => childrenOf(value).flatMap(readAttribute));
}

function childrenOf(value: Buffer): readonly Tlv[] {
  const children = readChildren({ value });
  return children.ok ? children.value : [];
}

function readAttribute({ tag, value }: Tlv): readonly Attribute[] {
  const [type, content] = childrenOf(value);
  const oid = type && decodeOid(type.value);
  if (tag !== TAG.sequence || !oid?.ok || content === undefined) return [];
  return [{ oid: oid.value, tag: content.tag, value: content.value, text: textOf(content) }];
}

function textOf({ tag, value }: Tlv): string {
  if (tag === UTF8_STRING) return value.toString('utf8');
  if (tag !== BMP_STRING) return value.toString('latin1');
  return Buffer.from(value.subarray(0, value.length & ~1))
    .swap16()
    .toString('utf16le');
}

/** For example `CN=My CA,O=Example`: in the order of the Name, as users of cert-manager and Kubernetes write it. */
export function formatName(rdns: readonly Rdn[]): string {
  return rdns.map(rdn => rdn.map(({ oid, text }) => `${SHORT_NAMES.get(oid) ?? oid}=${text}`).join('+')).join(',');
}

/**
 * One text for each RDN: OpenSSL treats two RDNs as equal if these texts are. It ignores ASCII case, and white space
 * around and repeated between words (its canonical form, after RFC 5280 section 7.1).
 */
export function comparableRdns(rdns: readonly Rdn[]): readonly string[] {
  return rdns.map(rdn => JSON.stringify(rdn.map(comparableAttribute).toSorted()));
}

function comparableAttribute({ oid, tag, value, text }: Attribute): string {
  if (!COMPARED_AS_TEXT.has(tag)) return `${oid} ${tag} ${value.toString('hex')}`;
  const trimmed = text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '').replace(/[\t-\r ]+/g, ' ');
  return `${oid} text ${trimmed.replace(/[A-Z]+/g, letters => letters.toLowerCase())}`;
}
