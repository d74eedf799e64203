// Reads the values of the extensions that tell where to look and whose key it is. Undefined, or an empty list, for a value
// that is not of its form.

import { contextTag, readChildren, readFields, readWhole, TAG, type Tlv } from '@countersign/common/der.ts';
import { GENERAL_NAME } from '@countersign/common/subject-alt-name.ts';

/** The identifier in a subjectKeyIdentifier (RFC 5280 section 4.2.1.2). */
export function readKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  return whole.ok && whole.value.tag === TAG.octetString ? whole.value.value : undefined;
}

/** The identifier in an authorityKeyIdentifier that has nothing else (RFC 5280 section 4.2.1.1). */
export function readAuthorityKeyIdentifier(value: Buffer): Buffer | undefined {
  const whole = readWhole(value);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [contextTag(0, 'primitive')]) : whole;
  return fields.ok ? fields.value[0].value : undefined;
}

/** Every URI in the value, in order, however deep (authorityInfoAccess, cRLDistributionPoints). */
export function readUris(value: Buffer): readonly string[] {
  const whole = readWhole(value);
  return whole.ok ? urisIn(whole.value) : [];
}

function urisIn(element: Tlv): readonly string[] {
  if (element.tag === GENERAL_NAME.uniformResourceIdentifier) return [element.value.toString()];
  const isConstructed = (element.tag & 0x20) !== 0;
  const children = isConstructed ? readChildren(element) : undefined;
  return children?.ok ? children.value.flatMap(urisIn) : [];
}
