// One X.509 extension (RFC 5280 section 4.1) of a request or a certificate. Never inspects its value.

import { err, ok, type Result } from '../result.ts';
import {
  decodeBoolean,
  decodeOid,
  encodeBoolean,
  encodeOctetString,
  encodeOid,
  readChildren,
  readFields,
  sequence,
  TAG,
  type Tlv,
} from './der.ts';

/** `value` is the content of the OCTET STRING; `oid` is dotted. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** How to treat an explicit FALSE, which DER omits (X.690 11.5) and Go accepts. */
export type ExplicitFalse = 'accept' | 'reject';

const MALFORMED = 'malformed extension: must consist of an OID, an optional BOOLEAN and an OCTET STRING';
const INVALID_OID = 'malformed extension: invalid object identifier; use a registered one';

function parseExtension(element: Tlv, writtenFalse: ExplicitFalse): Result<Extension> {
  const fields = element.tag === TAG.sequence ? readChildren(element) : err(MALFORMED);
  if (!fields.ok) return err(MALFORMED);
  const [type, ...rest] = fields.value;
  if (type?.tag !== TAG.oid) return err(MALFORMED);
  const oid = decodeOid(type.value);
  if (!oid.ok) return err(INVALID_OID);
  const content = parseContent(rest, writtenFalse);
  return content.ok ? ok({ oid: oid.value, ...content.value }) : err(`extension ${oid.value}: ${content.error}`);
}

/** The fields after the OID. */
function parseContent(fields: readonly Tlv[], writtenFalse: ExplicitFalse): Result<Omit<Extension, 'oid'>> {
  const octets = fields.at(-1);
  const [criticality, ...others] = fields.slice(0, -1);
  if (octets?.tag !== TAG.octetString || others.length > 0) return err(MALFORMED);
  const critical = parseCriticality(criticality, writtenFalse);
  return critical.ok ? ok({ critical: critical.value, value: octets.value }) : critical;
}

function parseCriticality(element: Tlv | undefined, writtenFalse: ExplicitFalse): Result<boolean> {
  if (element === undefined) return ok(false);
  const critical = element.tag === TAG.boolean ? decodeBoolean(element.value) : err(MALFORMED);
  if (!critical.ok) return err(MALFORMED);
  const isRejected = !critical.value && writtenFalse === 'reject';
  return isRejected ? err('malformed extension: DER omits a critical flag that is FALSE') : critical;
}

/** Parses a list of Extensions; rejects duplicates (RFC 5280 section 4.2). */
export function parseExtensions(elements: readonly Tlv[], writtenFalse: ExplicitFalse): Result<readonly Extension[]> {
  const extensions = new Map<string, Extension>();
  for (const element of elements) {
    const extension = parseExtension(element, writtenFalse);
    if (!extension.ok) return extension;
    const { oid } = extension.value;
    if (extensions.has(oid)) return err(`duplicate extension ${oid}: include each extension once`);
    extensions.set(oid, extension.value);
  }
  return ok([...extensions.values()]);
}

/** Parses the extensions of a certificate: one list inside an explicit tag (RFC 5280 section 4.1). */
export function parseExplicitExtensions(explicit: Tlv, writtenFalse: ExplicitFalse): Result<readonly Extension[]> {
  const list = readFields(explicit, explicit.tag, [TAG.sequence]);
  const elements = list.ok ? readChildren(list.value[0]) : list;
  return elements.ok ? parseExtensions(elements.value, writtenFalse) : elements;
}

/** The extension with this OID, if there is one. */
export function findExtension(
  { extensions }: { readonly extensions: readonly Extension[] },
  oid: string,
): Extension | undefined {
  return extensions.find(extension => extension.oid === oid);
}

/** Writes one Extension; DER omits the default FALSE (X.690 11.5). */
export function encodeExtension({ oid, critical, value }: Extension): Buffer {
  const content = encodeOctetString(value);
  return critical ? sequence(encodeOid(oid), encodeBoolean(true), content) : sequence(encodeOid(oid), content);
}
