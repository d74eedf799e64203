// One X.509 extension (RFC 5280 section 4.1), as requests ask for it and certificates carry it. Never looks at its
// value.

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

/** What becomes of a FALSE that is written out, though DER leaves it out (X.690 11.5): Go lets it pass. */
export type WrittenFalse = 'accept' | 'refused';

const NO_FORM = 'malformed extension: must consist of an OID, an optional BOOLEAN and an OCTET STRING';
const NO_TYPE = 'malformed extension: invalid object identifier; use a registered one';

function parseExtension(element: Tlv, writtenFalse: WrittenFalse): Result<Extension> {
  const fields = element.tag === TAG.sequence ? readChildren(element) : err(NO_FORM);
  if (!fields.ok) return err(NO_FORM);
  const [type, ...rest] = fields.value;
  if (type?.tag !== TAG.oid) return err(NO_FORM);
  const oid = decodeOid(type.value);
  if (!oid.ok) return err(NO_TYPE);
  const content = parseContent(rest, writtenFalse);
  return content.ok ? ok({ oid: oid.value, ...content.value }) : err(`extension ${oid.value}: ${content.error}`);
}

/** What is behind the type. */
function parseContent(fields: readonly Tlv[], writtenFalse: WrittenFalse): Result<Omit<Extension, 'oid'>> {
  const octets = fields.at(-1);
  const [criticality, ...others] = fields.slice(0, -1);
  if (octets?.tag !== TAG.octetString || others.length > 0) return err(NO_FORM);
  const critical = parseCriticality(criticality, writtenFalse);
  return critical.ok ? ok({ critical: critical.value, value: octets.value }) : critical;
}

function parseCriticality(element: Tlv | undefined, writtenFalse: WrittenFalse): Result<boolean> {
  if (element === undefined) return ok(false);
  const critical = element.tag === TAG.boolean ? decodeBoolean(element.value) : err(NO_FORM);
  if (!critical.ok) return err(NO_FORM);
  const isRefused = !critical.value && writtenFalse === 'refused';
  return isRefused ? err('malformed extension: DER omits a critical flag that is FALSE') : critical;
}

/** Reads a row of Extensions; an extension that comes twice is refused (RFC 5280 section 4.2). */
export function parseExtensions(elements: readonly Tlv[], writtenFalse: WrittenFalse): Result<readonly Extension[]> {
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

/** Reads the extensions of a certificate: one list inside an explicit tag (RFC 5280 section 4.1). */
export function parseExplicitExtensions(explicit: Tlv, writtenFalse: WrittenFalse): Result<readonly Extension[]> {
  const list = readFields(explicit, explicit.tag, [TAG.sequence]);
  const elements = list.ok ? readChildren(list.value[0]) : list;
  return elements.ok ? parseExtensions(elements.value, writtenFalse) : elements;
}

/** The extension of this kind in a request or a certificate, if it has it. */
export function findExtension(
  { extensions }: { readonly extensions: readonly Extension[] },
  oid: string,
): Extension | undefined {
  return extensions.find(extension => extension.oid === oid);
}

/** Writes one Extension; FALSE is the default, and DER leaves defaults out (X.690 11.5). */
export function encodeExtension({ oid, critical, value }: Extension): Buffer {
  const content = encodeOctetString(value);
  return critical ? sequence(encodeOid(oid), encodeBoolean(true), content) : sequence(encodeOid(oid), content);
}
