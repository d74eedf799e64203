// Reads an otherName of a subjectAltName (RFC 5280 section 4.2.1.6): its type and, where it is text, its value. Pure.

import { decodeOid, readChildren, readFields, TAG, type Tlv } from '../../x509/der.ts';

export interface OtherName {
  /** `unreadable` if it has none. */
  readonly oid: string;
  /** undefined if the value is not text: no pattern can be compared with it. */
  readonly text?: string;
}

/** String types with one meaning, by identifier octet, and the octets that they may contain. */
const TEXTS: ReadonlyMap<number, (content: Buffer) => boolean> = new Map([
  [0x0c, content => Buffer.from(content.toString()).equals(content)],
  [0x13, isAscii],
  [0x16, isAscii],
]);

function isAscii(content: Buffer): boolean {
  return content.every(octet => octet < 0x80);
}

/** OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }, with an implicit tag. */
export function readOtherName(name: Pick<Tlv, 'value' | 'bytes'>): OtherName {
  const parts = readFields({ ...name, tag: TAG.sequence }, TAG.sequence, [TAG.oid, 0xa0]);
  if (!parts.ok) return { oid: 'unreadable' };
  const [type, explicit] = parts.value;
  const oid = decodeOid(type.value);
  const inner = readChildren(explicit);
  if (!oid.ok) return { oid: 'unreadable' };
  const [content, ...more] = inner.ok ? inner.value : [];
  const isText = content !== undefined && more.length === 0 && TEXTS.get(content.tag)?.(content.value) === true;
  return isText ? { oid: oid.value, text: content.value.toString() } : { oid: oid.value };
}
