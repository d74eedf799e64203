// Makes private keys, and reads them from files. The key never leaves the process but for the file that the user names.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { usageError } from '../cli-error.ts';

export const KEY_TYPES = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096', 'ed25519'] as const;

export type KeyType = (typeof KEY_TYPES)[number];

export function generateKey(type: KeyType): KeyObject {
  const [family, size = ''] = type.split('-');
  if (family === 'rsa') return generateKeyPairSync('rsa', { modulusLength: Number(size) }).privateKey;
  if (family === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('ec', { namedCurve: size === 'p384' ? 'P-384' : 'P-256' }).privateKey;
}

/** `path` is for messages, which never repeat content. */
export function readKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw usageError(`${path} has no unencrypted private key in PEM`, 'Give a key such as one of openssl genpkey.');
  }
}

export function formatKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** The DER of the SubjectPublicKeyInfo. */
export function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}
