// Algorithm and size of a public key, in the terms of a policy: RSA and ECDSA in bits, Ed25519 without a size. Pure;
// expects a key that checkPublicKey accepts.

import { readFields, readWhole, TAG } from '../../x509/der.ts';
import { checkPublicKey, publicKeyOctets } from '../../x509/public-key.ts';

export interface KeySize {
  readonly algorithm: 'RSA' | 'ECDSA' | 'Ed25519';
  /** Bits; undefined for Ed25519, whose keys all have the same size. */
  readonly size?: number;
}

/** Bits of the field by octets of a coordinate; P-521 is the only one that does not fill its octets. */
const P521_OCTETS = 66;

/** undefined for a key that no certificate can have. */
export function publicKeySize(spki: Buffer): KeySize | undefined {
  const kind = checkPublicKey(spki);
  const octets = publicKeyOctets(spki);
  if (!kind.ok || octets === undefined) return undefined;
  switch (kind.value) {
    case 'rsa':
      return { algorithm: 'RSA', size: modulusBits(octets) };
    case 'ec':
      return { algorithm: 'ECDSA', size: fieldBits((octets.length - 1) / 2) };
    case 'ed25519':
      return { algorithm: 'Ed25519' };
  }
}

function fieldBits(coordinateOctets: number): number {
  return coordinateOctets === P521_OCTETS ? 521 : coordinateOctets * 8;
}

function modulusBits(octets: Buffer): number {
  const whole = readWhole(octets);
  const numbers = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.integer, TAG.integer]) : whole;
  if (!numbers.ok) return 0;
  const significant = numbers.value[0].value.toString('hex').replace(/^0+/, '');
  const first = Number.parseInt(significant[0] ?? '0', 16);
  return Math.max(0, significant.length * 4 - (Math.clz32(first) - 28));
}
