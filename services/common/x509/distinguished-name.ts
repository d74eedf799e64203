// The Name of a subject or an issuer (RFC 5280 section 4.1.2.4), which certificates are made of byte for byte: holds it to
// what Go's certificate parser reads, since the API server refuses a certificate that it cannot read. Never judges who
// is meant.

import { err, ok, type Result } from '../result.ts';
import { decodeOid, readChildren, readFields, TAG, type Tlv } from './der.ts';

interface StringType {
  readonly name: string;
  readonly isValid: (content: Buffer) => boolean;
}

/** The string types that Go knows in a Name, by their identifier octets (X.680 section 8.6, table 1). */
const STRING_TYPES: ReadonlyMap<number, StringType> = new Map([
  [0x0c, { name: 'UTF8String', isValid: isUtf8 }],
  [0x12, { name: 'NumericString', isValid: consistsOf(/^[0-9 ]*$/) }],
  // Neither * nor & belongs here, but Go lets them pass: wildcards and names of companies often have them.
  [0x13, { name: 'PrintableString', isValid: consistsOf(/^[A-Za-z0-9 '()+,./:=?*&-]*$/) }],
  [0x14, { name: 'T61String', isValid: () => true }],
  [0x16, { name: 'IA5String', isValid: content => content.every(octet => octet < 0x80) }],
  [0x1e, { name: 'BMPString', isValid: isBmp }],
]);

const WAY_OUT = 'encode it as a UTF8String or omit it';
const NO_NAME = 'not a SEQUENCE of SETs of attributes: create it with another tool, such as openssl';

/** The error says what is wrong in the Name; whose Name it is, the caller knows. */
export function checkName(name: Tlv): Result<true> {
  const rdns = readChildren(name);
  if (!rdns.ok) return err(NO_NAME);
  for (const rdn of rdns.value) {
    const attributes = readChildren(rdn);
    if (!attributes.ok || rdn.tag !== TAG.set || attributes.value.length === 0) return err(NO_NAME);
    for (const attribute of attributes.value) {
      const checked = checkAttribute(attribute);
      if (!checked.ok) return checked;
    }
  }
  return ok(true);
}

function checkAttribute(attribute: Tlv): Result<true> {
  const fields = readFields(attribute, TAG.sequence, [TAG.oid, TAG.any]);
  if (!fields.ok) return err(NO_NAME);
  const [type, { tag, value }] = fields.value;
  const oid = decodeOid(type.value);
  if (!oid.ok) return err('an attribute type is not a valid object identifier: use a registered one');
  const string = STRING_TYPES.get(tag);
  if (string === undefined) {
    const octet = `0x${tag.toString(16).padStart(2, '0')}`;
    return err(
      `attribute ${oid.value} has ASN.1 type ${octet}, which the API server cannot parse in a certificate: ${WAY_OUT}`,
    );
  }
  return string.isValid(value) ? ok(true) : err(`attribute ${oid.value} is not a valid ${string.name}: ${WAY_OUT}`);
}

function consistsOf(alphabet: RegExp): (content: Buffer) => boolean {
  return content => alphabet.test(content.toString('latin1'));
}

function isUtf8(content: Buffer): boolean {
  // What is no UTF-8 is decoded to U+FFFD, and so does not come back as it was.
  return Buffer.from(content.toString()).equals(content);
}

/** Whole characters of two octets, none of them half a surrogate pair or a noncharacter (Unicode section 23.7). */
function isBmp(content: Buffer): boolean {
  if (content.length % 2 !== 0) return false;
  for (let at = 0; at < content.length; at += 2) {
    const point = content.readUInt16BE(at);
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    const isNoCharacter = point >= 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
    if (isSurrogate || isNoCharacter) return false;
  }
  return true;
}
