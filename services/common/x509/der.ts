// Reads and writes DER (ITU-T X.690): tag-length-value and the primitive types that X.509 uses. Strict: rejects
// everything but the one DER encoding of a value. Never throws on bad input.

import { err, ok, type Result } from '../result.ts';

/** Identifier octets of the universal types used here; sequence and set with their constructed bit. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Matches any tag, in readFields only. */
  any: -1,
} as const;

/** One element: identifier octet, content, and whole encoding (both are views of the input). */
export interface Tlv {
  readonly tag: number;
  readonly value: Buffer;
  readonly bytes: Buffer;
}

/** The identifier octet of `[number]`; constructed for EXPLICIT tags and IMPLICIT sequences, primitive for the rest. */
export function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return 0x80 | (form === 'constructed' ? 0x20 : 0) | number;
}

/** Reads the element at `offset`; ignores what follows it. */
export function readTlv(buffer: Buffer, offset = 0): Result<Tlv> {
  const tag = buffer[offset];
  const first = buffer[offset + 1];
  if (tag === undefined || first === undefined) return err('malformed DER: truncated element');
  // Neither X.509 nor PKCS#10 has a tag number above 30; 0x00 is BER's end of contents.
  if (tag === 0 || (tag & 0x1f) === 0x1f) return err('malformed DER: unexpected tag');
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + size;
  const length = first < 0x80 ? ok(first) : readLongLength(buffer, offset + 2, size);
  if (!length.ok) return length;
  const end = start + length.value;
  if (end > buffer.length) return err('malformed DER: length out of bounds');
  return ok({ tag, value: buffer.subarray(start, end), bytes: buffer.subarray(offset, end) });
}

/** A length of `size` octets, minimally encoded (X.690 10.1). */
function readLongLength(buffer: Buffer, offset: number, size: number): Result<number> {
  if (size === 0) return err('malformed DER: indefinite length');
  if (size > 4 || offset + size > buffer.length) return err('malformed DER: length out of bounds');
  const length = buffer.readUIntBE(offset, size);
  const isMinimal = length >= 0x80 && length >= 2 ** (8 * (size - 1));
  return isMinimal ? ok(length) : err('malformed DER: length is not minimal');
}

/** Reads a buffer that contains exactly one element. */
export function readWhole(buffer: Buffer): Result<Tlv> {
  const element = readTlv(buffer);
  if (element.ok && element.value.bytes.length !== buffer.length) return err('malformed DER: trailing data');
  return element;
}

/** The elements inside a constructed element, or inside any content that is a sequence of elements. */
export function readChildren(parent: Pick<Tlv, 'value'>): Result<Tlv[]> {
  const children: Tlv[] = [];
  for (let offset = 0; offset < parent.value.length; ) {
    const child = readTlv(parent.value, offset);
    if (!child.ok) return child;
    children.push(child.value);
    offset += child.value.bytes.length;
  }
  return ok(children);
}

/** The elements of a structure with exactly these fields, each with its tag; `tag` is the tag of the structure. */
export function readFields<const Tags extends readonly number[]>(
  parent: Tlv,
  tag: number,
  fieldTags: Tags,
): Result<{ readonly [Field in keyof Tags]: Tlv }> {
  if (parent.tag !== tag) return err('malformed DER: unexpected tag');
  const children = readChildren(parent);
  if (!children.ok) return children;
  const { value } = children;
  const isAsExpected = fieldTags.every((field, at) => field === TAG.any || value[at]?.tag === field);
  if (value.length !== fieldTags.length || !isAsExpected) return err('malformed DER: unexpected structure');
  return ok(value as unknown as { readonly [Field in keyof Tags]: Tlv });
}

/** Writes one element; the contents are concatenated. */
export function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  let length = 0;
  for (const content of contents) length += content.length;
  const size = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const encoded = Buffer.allocUnsafe(2 + size + length);
  encoded[0] = tag;
  encoded[1] = size === 0 ? length : 0x80 | size;
  if (size > 0) encoded.writeUIntBE(length, 2, size);
  let at = 2 + size;
  for (const content of contents) at += content.copy(encoded, at);
  return encoded;
}

export function sequence(...contents: readonly Buffer[]): Buffer {
  return tlv(TAG.sequence, ...contents);
}

/** Writes a non-negative INTEGER from its big-endian magnitude (X.690 8.3: fewest octets, top bit clear). */
export function encodeInteger(magnitude: Buffer): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const significant = magnitude.subarray(start);
  if (significant.length === 0) return tlv(TAG.integer, Buffer.of(0));
  return (significant[0] ?? 0) >= 0x80 ? tlv(TAG.integer, Buffer.of(0), significant) : tlv(TAG.integer, significant);
}

/** The magnitude, without leading zeros, of the content of a non-negative, minimally encoded INTEGER. */
export function decodeUnsigned(value: Buffer): Result<Buffer> {
  const [first = 0x80, second = 0x80] = value;
  if (first >= 0x80) return err('malformed DER: invalid or negative integer');
  const isPadded = first === 0 && value.length > 1;
  if (isPadded && second < 0x80) return err('malformed DER: integer is not minimal');
  return ok(first === 0 ? value.subarray(1) : value);
}

/** Whether the content of an INTEGER is minimally encoded and fits into a signed 64-bit number. */
export function isInt64(value: Buffer): boolean {
  const [first = 0, second] = value;
  const isPadded = second !== undefined && first === (second >= 0x80 ? 0xff : 0);
  return value.length >= 1 && value.length <= 8 && !isPadded;
}

export function encodeBoolean(value: boolean): Buffer {
  return tlv(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

/** Reads the content of a BOOLEAN, which has only two forms in DER. */
export function decodeBoolean(value: Buffer): Result<boolean> {
  if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) return err('malformed DER: invalid boolean');
  return ok(value[0] === 0xff);
}

/** Writes a BIT STRING of whole octets. */
export function encodeBitString(octets: Buffer): Buffer {
  return tlv(TAG.bitString, Buffer.of(0), octets);
}

export function encodeOctetString(octets: Buffer): Buffer {
  return tlv(TAG.octetString, octets);
}

/** Writes an OBJECT IDENTIFIER from valid dotted text: from oids.ts or decodeOid. */
export function encodeOid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.');
  const octets: number[] = [];
  appendArc(octets, Number(first) * 40 + Number(second));
  for (const arc of rest) appendArc(octets, Number(arc));
  return tlv(TAG.oid, Buffer.from(octets));
}

/** Base 128, most significant group first; the top bit of an octet means that more follow (X.690 8.19.2). */
function appendArc(octets: number[], arc: number): void {
  if (arc >= 128) appendMore(octets, Math.floor(arc / 128));
  octets.push(arc % 128);
}

function appendMore(octets: number[], groups: number): void {
  if (groups >= 128) appendMore(octets, Math.floor(groups / 128));
  octets.push(0x80 | (groups % 128));
}

/** Reads the content of an OBJECT IDENTIFIER; rejects arcs of 2^31 and more, which Go cannot hold. */
export function decodeOid(value: Buffer): Result<string> {
  const [root, ...rest] = readArcs(value) ?? [];
  if (root === undefined) return err('malformed DER: invalid object identifier');
  const top = Math.min(Math.floor(root / 40), 2);
  return ok([top, root - top * 40, ...rest].join('.'));
}

function readArcs(value: Buffer): readonly number[] | undefined {
  const arcs: number[] = [];
  let arc: number | undefined;
  for (const octet of value) {
    if (arc === undefined && octet === 0x80) return undefined;
    arc = (arc ?? 0) * 128 + (octet & 0x7f);
    if (arc >= 2 ** 31) return undefined;
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = undefined;
  }
  return arc === undefined ? arcs : undefined;
}
