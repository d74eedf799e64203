// One X.509 extension (RFC 5280 section 4.1), as requests ask for it and certificates carry it. Never looks at its
// value.

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
import { err, ok, type Result } from './result.ts';

/** `value` is the content of the OCTET STRING; `oid` is dotted. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** What becomes of a FALSE that is written out, though DER leaves it out (X.690 11.5): Go lets it pass. */
export type WrittenFalse = 'let pass' | 'refused';

function parseExtension(element: Tlv, writtenFalse: WrittenFalse): Result<Extension> {
  const fields = readChildren(element);
  if (!fields.ok) return fields;
  const [type, ...rest] = fields.value;
  const octets = rest.pop();
  const [criticality, ...others] = rest;
  if (element.tag !== TAG.sequence || type?.tag !== TAG.oid || octets?.tag !== TAG.octetString || others.length > 0) {
    return err('malformed extension');
  }
  const oid = decodeOid(type.value);
  const critical = parseCriticality(criticality, writtenFalse);
  if (!oid.ok) return oid;
  return critical.ok ? ok({ oid: oid.value, critical: critical.value, value: octets.value }) : critical;
}

function parseCriticality(element: Tlv | undefined, writtenFalse: WrittenFalse): Result<boolean> {
  if (element === undefined) return ok(false);
  const critical = element.tag === TAG.boolean ? decodeBoolean(element.value) : err('malformed extension');
  const isRefused = critical.ok && !critical.value && writtenFalse === 'refused';
  return isRefused ? err('malformed extension: FALSE is written out') : critical;
}

/** Reads a row of Extensions; an extension that comes twice is refused (RFC 5280 section 4.2). */
export function parseExtensions(elements: readonly Tlv[], writtenFalse: WrittenFalse): Result<readonly Extension[]> {
  const extensions = new Map<string, Extension>();
  for (const element of elements) {
    const extension = parseExtension(element, writtenFalse);
    if (!extension.ok) return extension;
    if (extensions.has(extension.value.oid)) return err(`duplicate extension ${extension.value.oid}`);
    extensions.set(extension.value.oid, extension.value);
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
