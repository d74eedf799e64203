// Reads and writes BIT STRINGs with named bits, such as KeyUsage (X.690 section 11.2.2), as masks: bit i of the string
// is 1 << i. Never judges which bits are set.

import { err, ok, type Result } from '../result.ts';
import { TAG, tlv } from './der.ts';

/** Bits of a mask without the sign bit; no extension names more than nine. */
const MAX_BITS = 31;

/** Writes bit i of the mask as bit i, without trailing zeros. */
export function encodeNamedBits(mask: number): Buffer {
  if (mask === 0) return tlv(TAG.bitString, Buffer.of(0));
  const bits = 32 - Math.clz32(mask);
  const octets = Buffer.alloc(Math.ceil(bits / 8));
  for (let bit = 0; bit < bits; bit++) {
    if (mask & (1 << bit)) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  return tlv(TAG.bitString, Buffer.of(octets.length * 8 - bits), octets);
}

/**
 * Reads the content of a BIT STRING, as Go does: accepts trailing zeros (Windows writes 32 bits), and bits without a
 * name, which are not in the mask.
 */
export function decodeNamedBits(value: Buffer): Result<number> {
  const [unused = 8, ...octets] = value;
  const padding = (octets.at(-1) ?? 0xff) & ((1 << unused) - 1);
  if (unused > 7 || padding !== 0) return err('malformed DER: invalid bit string');
  let mask = 0;
  for (let bit = 0; bit < Math.min(octets.length * 8, MAX_BITS); bit++) {
    if ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) mask |= 1 << bit;
  }
  return ok(mask);
}
