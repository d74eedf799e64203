// Parses the extensions that a PKCS#10 request asks for, in its one extensionRequest attribute (RFC 2985
// section 5.4.2). Ignores other attributes, as Go and cert-manager do. Rejects an attribute that two parsers
// could read differently.

import { err, ok, type Result } from '../result.ts';
import { decodeOid, readChildren, readFields, readTlv, TAG, type Tlv } from './der.ts';
import { type Extension, parseExtensions } from './extension.ts';
import { rewriteNameConstraints } from './name-constraints/name-constraints.ts';
import { EXTENSION, EXTENSION_REQUEST } from './oids.ts';
import { readGeneralNames } from './subject-alt-name.ts';

const NAME = 'the extensionRequest attribute (1.2.840.113549.1.9.14)';

/**
 * Reads the attributes [0] of a CertificationRequestInfo. The error names the attribute or extension, and what to do.
 */
export function parseAttributes(attributes: Tlv): Result<readonly Extension[]> {
  const children = readChildren(attributes);
  if (!children.ok) return err(`malformed attributes (${children.error}): create the request with another tool`);
  const requests: Tlv[] = [];
  for (const attribute of children.value.filter(isExtensionRequest)) {
    const values = readFields(attribute, TAG.sequence, [TAG.oid, TAG.set]);
    if (!values.ok)
      return err(`${NAME} must have one type and one SET of values: create the request with another tool`);
    // Appliances send it empty; Go skips it too.
    if (values.value[1].value.length > 0) requests.push(values.value[1]);
  }
  const [request, ...others] = requests;
  if (others.length > 0) return err(`${NAME} occurs more than once: put all extensions into one`);
  return request === undefined ? ok([]) : parseExtensionRequest(request);
}

/** By type alone: even a malformed value was meant to request extensions. */
function isExtensionRequest(attribute: Tlv): boolean {
  const type = attribute.tag === TAG.sequence ? readTlv(attribute.value) : err('');
  const oid = type.ok && type.value.tag === TAG.oid ? decodeOid(type.value.value) : err('');
  return oid.ok && oid.value === EXTENSION_REQUEST;
}

/** Go reads the first list and skips others. */
function parseExtensionRequest(values: Tlv): Result<readonly Extension[]> {
  const lists = readFields(values, TAG.set, [TAG.sequence]);
  if (!lists.ok) return err(`${NAME} must hold exactly one list of extensions: put all extensions into one list`);
  const elements = readChildren(lists.value[0]);
  if (!elements.ok) return err(`${NAME} is malformed (${elements.error}): create the request with another tool`);
  const extensions = parseExtensions(elements.value, 'accept');
  if (!extensions.ok) return extensions;
  for (const extension of extensions.value) {
    const value = checkCopied(extension);
    if (!value.ok) return value;
  }
  return extensions;
}

/**
 * The values of extensions that are copied into the certificate must be readable; all others are dropped or compared.
 */
function checkCopied({ oid, value }: Extension): Result<unknown> {
  if (oid === EXTENSION.subjectAltName) return readGeneralNames(value);
  return oid === EXTENSION.nameConstraints ? rewriteNameConstraints(value) : ok(value);
}
