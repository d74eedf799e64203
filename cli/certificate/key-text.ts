// Describes a public key as people name it. Pure.

import { createPublicKey, hash, type KeyObject } from 'node:crypto';

const CURVES: ReadonlyMap<string, string> = new Map([
  ['secp224r1', 'P-224'],
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/** `RSA 2048`, `ECDSA P-256`, `Ed25519`. `spki` is the DER of the SubjectPublicKeyInfo. */
export function keyText(spki: Buffer): string {
  try {
    return describeKey(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  } catch {
    return 'unreadable: the point is not on its curve';
  }
}

export function describeKey({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  switch (asymmetricKeyType) {
    case 'rsa':
      return `RSA ${asymmetricKeyDetails.modulusLength}`;
    case 'ec':
      return `ECDSA ${CURVES.get(asymmetricKeyDetails.namedCurve ?? '') ?? asymmetricKeyDetails.namedCurve}`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return asymmetricKeyType ?? 'unknown';
  }
}

/** The SHA-256 of the SubjectPublicKeyInfo, by which a requester can confirm the key. */
export function keyFingerprint(spki: Buffer): string {
  return hash('sha256', spki, 'hex');
}
