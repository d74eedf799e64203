// Finds public keys that Go's certificate parser rejects: keys of a known type whose encoding deviates from the
// standard. Unknown key types may be anything. Checks no strength. Pure.

import { createPublicKey } from 'node:crypto';
import { decodeUnsigned, readChildren, readFields, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { checkPublicKey, readAlgorithm } from '@countersign/common/x509/public-key.ts';

/** Returns the fault in a SubjectPublicKeyInfo; undefined if Go accepts it. Texts are Go's where Go has one. */
export function findPublicKeyFault(spki: Tlv): string | undefined {
  const fields = readFields(spki, TAG.sequence, [TAG.sequence, TAG.bitString]);
  if (!fields.ok) return 'x509: malformed spki';
  const [identifier, { value: bits }] = fields.value;
  const algorithm = readAlgorithm(identifier);
  if (!algorithm.ok) return 'x509: malformed public key algorithm identifier';
  if (!isBitString(bits)) return 'x509: malformed subjectPublicKey';
  const find = FINDERS.get(algorithm.value.oid);
  if (find === undefined) return undefined;
  if (bits[0] !== 0) return 'x509: malformed subjectPublicKey';
  return find({ parameters: algorithm.value.parameters, octets: bits.subarray(1), spki: spki.bytes });
}

/** Whether it is valid DER content of a BIT STRING: unused bits are zero (X.690 11.2.1). */
export function isBitString(value: Buffer): boolean {
  const [unused = 8] = value;
  const last = value.length > 1 ? (value.at(-1) ?? 0) : 0xff;
  return unused <= 7 && (last & ((1 << unused) - 1)) === 0;
}

interface PublicKey {
  readonly parameters: Tlv | undefined;
  readonly octets: Buffer;
  readonly spki: Buffer;
}

const FINDERS: ReadonlyMap<string, (key: PublicKey) => string | undefined> = new Map([
  [PUBLIC_KEY.rsa, findRsaFault],
  [PUBLIC_KEY.ec, findPointFault],
  [PUBLIC_KEY.ed25519, ({ spki }) => (checkPublicKey(spki).ok ? undefined : 'x509: wrong Ed25519 public key')],
  [PUBLIC_KEY.dsa, findDsaFault],
]);

function findRsaFault({ parameters, octets }: PublicKey): string | undefined {
  if (parameters?.tag !== TAG.null || parameters.value.length > 0) return 'x509: RSA key missing NULL parameters';
  const whole = readWhole(octets);
  const numbers = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.integer, TAG.integer]) : whole;
  if (!numbers.ok) return 'x509: invalid RSA public key';
  const [modulus, exponent] = numbers.value;
  if (!isPositive(modulus)) return 'x509: invalid RSA modulus';
  return isPositive(exponent) && exponent.value.length <= 8 ? undefined : 'x509: invalid RSA public exponent';
}

function isPositive({ tag, value }: Tlv): boolean {
  const magnitude = decodeUnsigned(value);
  return tag === TAG.integer && magnitude.ok && magnitude.value.length > 0;
}

function findPointFault({ spki }: PublicKey): string | undefined {
  if (!checkPublicKey(spki).ok)
    return 'x509: the ECDSA key is not an uncompressed point on a named curve that Go supports';
  try {
    createPublicKey({ key: spki, format: 'der', type: 'spki' });
    return undefined;
  } catch {
    return 'x509: the point of the ECDSA key is not on the curve';
  }
}

function findDsaFault({ parameters, octets }: PublicKey): string | undefined {
  const key = readWhole(octets);
  const domain = parameters?.tag === TAG.sequence ? readChildren(parameters) : undefined;
  const isWhole = key.ok && isPositive(key.value) && domain?.ok && domain.value.length === 3;
  return isWhole && domain.value.every(isPositive) ? undefined : 'x509: invalid DSA public key';
}
