// Parses the values of extensions that give URLs, key identifiers and name constraints. Returns undefined for malformed
// values. Pure.

import {
  contextTag,
  decodeOid,
  readChildren,
  readFields,
  readWhole,
  TAG,
  type Tlv,
} from '@countersign/common/x509/der.ts';
import { type Extension, findExtension } from '@countersign/common/x509/extension.ts';
import {
  type NameConstraints,
  parseNameConstraints,
} from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';

/** Returns the identifier of a subjectKeyIdentifier (RFC 5280 section 4.2.1.2). */
export function readKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  return whole.ok && whole.value.tag === TAG.octetString ? whole.value.value : undefined;
}

/** Returns the name constraints of a CA, if present. */
export function readNameConstraints(certificate: {
  readonly extensions: readonly Extension[];
}): NameConstraints | undefined {
  const extension = findExtension(certificate, EXTENSION.nameConstraints);
  const constraints = extension && parseNameConstraints(extension);
  return constraints?.ok ? constraints.value : undefined;
}

/** Returns the identifier of an authorityKeyIdentifier that contains nothing else (RFC 5280 section 4.2.1.1). */
export function readAuthorityKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [contextTag(0, 'primitive')]) : whole;
  return fields.ok ? fields.value[0].value : undefined;
}

/** Returns the AccessDescriptions of an authorityInfoAccess (RFC 5280 section 4.2.2.1) whose locations are all URIs. */
export function readAccessDescriptions(value: Buffer): readonly (readonly [method: string, url: string])[] | undefined {
  return readSequenceOf(value, element => {
    const fields = readFields(element, TAG.sequence, [TAG.oid, GENERAL_NAME.uniformResourceIdentifier]);
    const method = fields.ok ? decodeOid(fields.value[0].value) : fields;
    return fields.ok && method.ok ? [method.value, fields.value[1].value.toString()] : undefined;
  });
}

/**
 * Returns the URLs of a cRLDistributionPoints (RFC 5280 section 4.2.1.13) whose points each have one URL and
 * nothing else.
 */
export function readDistributionPoints(value: Buffer): readonly string[] | undefined {
  const outer = contextTag(0, 'constructed');
  return readSequenceOf(value, element => {
    const point = readFields(element, TAG.sequence, [outer]);
    const fullName = point.ok ? readFields(point.value[0], outer, [outer]) : point;
    const names = fullName.ok
      ? readFields(fullName.value[0], outer, [GENERAL_NAME.uniformResourceIdentifier])
      : fullName;
    return names.ok ? names.value[0].value.toString() : undefined;
  });
}

/** Parses every element of a SEQUENCE OF; undefined if any is malformed. */
function readSequenceOf<T>(value: Buffer, read: (element: Tlv) => T | undefined): readonly T[] | undefined {
  const whole = readWhole(value);
  const elements = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  if (!elements?.ok) return undefined;
  const items = elements.value.map(read).filter(item => item !== undefined);
  return items.length === elements.value.length ? items : undefined;
}
