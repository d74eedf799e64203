// Parses the extension values of a PKCS#10 request that are compared with the CSR: basicConstraints, keyUsage,
// extKeyUsage (RFC 5280 4.2.1). Strict DER; never judges the values.

import { err, ok, type Result } from '../result.ts';
import { decodeBoolean, decodeOid, isInt64, readChildren, readWhole, TAG, type Tlv } from './der.ts';
import { decodeNamedBits } from './named-bits.ts';

// KeyUsage has nine bits and Go reads no more, so an unknown tenth bit contradicts nothing.
const KEY_USAGE_BITS = 0x1ff;

/** The CA flag. The path length must be a number and is then dropped, as in cert-manager: a CSR cannot request one. */
export function parseBasicConstraints(value: Buffer): Result<{ readonly isCa: boolean }> {
  const fields = elementsOf(value);
  if (!fields.ok) return malformed('BasicConstraints', fields.error);
  const [first, ...rest] = fields.value;
  const hasFlag = first?.tag === TAG.boolean;
  const pathLength = hasFlag ? rest : fields.value;
  if (pathLength.length > 1 || pathLength.some(({ tag }) => tag !== TAG.integer)) {
    return malformed('BasicConstraints', 'unexpected fields after the CA flag and the path length');
  }
  if (pathLength.some(length => !isInt64(length.value))) return malformed('BasicConstraints', 'invalid path length');
  const isCa = hasFlag ? decodeBoolean(first.value) : ok(false);
  return isCa.ok ? ok({ isCa: isCa.value }) : malformed('BasicConstraints', isCa.error);
}

/** The bits as a mask: 1 << i for bit i. */
export function parseKeyUsage(value: Buffer): Result<number> {
  const element = readWhole(value);
  if (!element.ok) return malformed('KeyUsage', element.error);
  if (element.value.tag !== TAG.bitString) return malformed('KeyUsage', 'not a bit string');
  const mask = decodeNamedBits(element.value.value);
  return mask.ok ? ok(mask.value & KEY_USAGE_BITS) : malformed('KeyUsage', mask.error);
}

/** The OIDs in order, known or not. */
export function parseExtKeyUsage(value: Buffer): Result<readonly string[]> {
  const elements = elementsOf(value);
  if (!elements.ok) return malformed('ExtKeyUsage', elements.error);
  const oids: string[] = [];
  for (const element of elements.value) {
    const oid = element.tag === TAG.oid ? decodeOid(element.value) : err('not an object identifier');
    if (!oid.ok) return malformed('ExtKeyUsage', oid.error);
    oids.push(oid.value);
  }
  return ok(oids);
}

function elementsOf(value: Buffer): Result<readonly Tlv[]> {
  const element = readWhole(value);
  if (!element.ok) return element;
  return element.value.tag === TAG.sequence ? readChildren(element.value) : err('not a sequence');
}

function malformed(extension: string, problem: string): Result<never> {
  return err(`encoded CSR error: the ${extension} extension is malformed: ${problem}; fix the extension or omit it`);
}
