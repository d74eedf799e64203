// Checks the Name of a subject or an issuer (RFC 5280 section 4.1.2.4), which is copied into certificates byte for
// byte: Go's certificate parser must accept it, because the API server rejects a certificate that it cannot parse.
// Never judges the identity.

import { err, ok, type Result } from '../result.ts';
import { decodeOid, readChildren, readFields, TAG, type Tlv } from './der.ts';

interface StringType {
  readonly name: string;
  readonly isValid: (content: Buffer) => boolean;
}

/** The string types that Go accepts in a Name, by identifier octet (X.680 section 8.6, table 1). */
const STRING_TYPES: ReadonlyMap<number, StringType> = new Map([
  [0x0c, { name: 'UTF8String', isValid: isUtf8 }],
  [0x12, { name: 'NumericString', isValid: consistsOf(/^[0-9 ]*$/) }],
  // * and & are not allowed here, but Go accepts them: wildcards and company names often have them.
  [0x13, { name: 'PrintableString', isValid: consistsOf(/^[A-Za-z0-9 '()+,./:=?*&-]*$/) }],
  [0x14, { name: 'T61String', isValid: () => true }],
  [0x16, { name: 'IA5String', isValid: content => content.every(octet => octet < 0x80) }],
  [0x1e, { name: 'BMPString', isValid: isBmp }],
]);

const REMEDY = 'encode it as a UTF8String or omit it';
const MALFORMED = 'not a SEQUENCE of SETs of attributes: create it with another tool, such as openssl';

/** The error describes the problem in the Name; the caller knows whose Name it is. */
export function checkName(name: Tlv): Result<true> {
  const rdns = readChildren(name);
  if (!rdns.ok) return err(MALFORMED);
  for (const rdn of rdns.value) {
    const attributes = readChildren(rdn);
    if (!attributes.ok || rdn.tag !== TAG.set || attributes.value.length === 0) return err(MALFORMED);
    for (const attribute of attributes.value) {
      const checked = checkAttribute(attribute);
      if (!checked.ok) return checked;
    }
  }
  return ok(true);
}

function checkAttribute(attribute: Tlv): Result<true> {
  const fields = readFields(attribute, TAG.sequence, [TAG.oid, TAG.any]);
  if (!fields.ok) return err(MALFORMED);
  const [type, { tag, value }] = fields.value;
  const oid = decodeOid(type.value);
  if (!oid.ok) return err('an attribute type is not a valid object identifier: use a registered one');
  const string = STRING_TYPES.get(tag);
  if (string === undefined) {
    const octet = `0x${tag.toString(16).padStart(2, '0')}`;
    return err(
      `attribute ${oid.value} has ASN.1 type ${octet}, which the API server cannot parse in a certificate: ${REMEDY}`,
    );
  }
  return string.isValid(value) ? ok(true) : err(`attribute ${oid.value} is not a valid ${string.name}: ${REMEDY}`);
}

function consistsOf(alphabet: RegExp): (content: Buffer) => boolean {
  return content => alphabet.test(content.toString('latin1'));
}

function isUtf8(content: Buffer): boolean {
  // Invalid UTF-8 decodes to U+FFFD and does not round-trip.
  return Buffer.from(content.toString()).equals(content);
}

/** Whole characters of two octets without surrogates and noncharacters (Unicode section 23.7). */
function isBmp(content: Buffer): boolean {
  if (content.length % 2 !== 0) return false;
  for (let at = 0; at < content.length; at += 2) {
    const point = content.readUInt16BE(at);
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    const isNoncharacter = point >= 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
    if (isSurrogate || isNoncharacter) return false;
  }
  return true;
}
