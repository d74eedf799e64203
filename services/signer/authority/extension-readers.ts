// Reads the values of the extensions that tell where to look, whose key it is and what may be signed. Undefined for a value that is not
// of its form. Pure.

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

/** The identifier in a subjectKeyIdentifier (RFC 5280 section 4.2.1.2). */
export function readKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  return whole.ok && whole.value.tag === TAG.octetString ? whole.value.value : undefined;
}

/** What a CA may sign, if it says so. */
export function readNameConstraints(certificate: {
  readonly extensions: readonly Extension[];
}): NameConstraints | undefined {
  const extension = findExtension(certificate, EXTENSION.nameConstraints);
  const constraints = extension && parseNameConstraints(extension);
  return constraints?.ok ? constraints.value : undefined;
}

/** The identifier in an authorityKeyIdentifier that has nothing else (RFC 5280 section 4.2.1.1). */
export function readAuthorityKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [contextTag(0, 'primitive')]) : whole;
  return fields.ok ? fields.value[0].value : undefined;
}

/**
 * What each AccessDescription of an authorityInfoAccess says (RFC 5280 section 4.2.2.1), with a URI alone as its
 * location.
 */
export function readAccessDescriptions(value: Buffer): readonly (readonly [method: string, url: string])[] | undefined {
  return readRow(value, element => {
    const fields = readFields(element, TAG.sequence, [TAG.oid, GENERAL_NAME.uniformResourceIdentifier]);
    const method = fields.ok ? decodeOid(fields.value[0].value) : fields;
    return fields.ok && method.ok ? [method.value, fields.value[1].value.toString()] : undefined;
  });
}

/**
 * The URL of each DistributionPoint of a cRLDistributionPoints (RFC 5280 section 4.2.1.13) that has one and nothing
 * else.
 */
export function readDistributionPoints(value: Buffer): readonly string[] | undefined {
  const outer = contextTag(0, 'constructed');
  return readRow(value, element => {
    const point = readFields(element, TAG.sequence, [outer]);
    const fullName = point.ok ? readFields(point.value[0], outer, [outer]) : point;
    const names = fullName.ok
      ? readFields(fullName.value[0], outer, [GENERAL_NAME.uniformResourceIdentifier])
      : fullName;
    return names.ok ? names.value[0].value.toString() : undefined;
  });
}

/** Every element of a SEQUENCE OF; undefined if one of them is not of its form. */
function readRow<T>(value: Buffer, read: (element: Tlv) => T | undefined): readonly T[] | undefined {
  const whole = readWhole(value);
  const elements = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  if (!elements?.ok) return undefined;
  const items = elements.value.map(read).filter(item => item !== undefined);
  return items.length === elements.value.length ? items : undefined;
}
