// Chooses the signature algorithm for a signing key, by cert-manager's table, and finds keys that cannot sign. Depends
// on the key alone.

import { type AsymmetricKeyDetails, createPublicKey } from 'node:crypto';
import { err, ok, type Result } from '../result.ts';
import { encodeOid, sequence, TAG, tlv } from './der.ts';
import { SIGNATURE } from './oids.ts';
import { checkPublicKey, type KeyKind } from './public-key.ts';

export interface SignatureAlgorithm {
  readonly name: keyof typeof SIGNATURE;
  /** The digest's name in node:crypto; null if the algorithm has its own. */
  readonly digest: string | null;
  /** The DER of the AlgorithmIdentifier. */
  readonly der: Buffer;
}

/**
 * Bits of the modulus. One signature with 8192 bits takes 30 ms of a core (measured); with 16 384 it would take 200 ms.
 */
const MAX_RSA_SIZE = 8_192;

/** Why a key is too large to load for signing; undefined if it is not. */
export function findSizeProblem({ modulusLength: size = 0 }: AsymmetricKeyDetails): string | undefined {
  return size > MAX_RSA_SIZE ? `the RSA key has ${size} bits; the maximum is ${MAX_RSA_SIZE}` : undefined;
}

/**
 * Why the private key for this DER SubjectPublicKeyInfo cannot sign a certificate; undefined if it can. Keys that
 * checkPublicKey rejects are not judged.
 */
export function findSignerProblem(spki: Buffer): string | undefined {
  const kind = checkPublicKey(spki);
  const details = kind.ok ? readDetails(spki) : undefined;
  if (!kind.ok || details === undefined) return undefined;
  const chosen = chooseSignatureAlgorithm(kind.value, details);
  return chosen.ok ? findSizeProblem(details) : chosen.error;
}

function readDetails(spki: Buffer): AsymmetricKeyDetails | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyDetails;
  } catch {
    // The point is not on its curve: no one can have signed the request with it.
    return undefined;
  }
}

/** The algorithm for a key, or cert-manager's error for a key that cannot sign. */
export function chooseSignatureAlgorithm(kind: KeyKind, details: AsymmetricKeyDetails): Result<SignatureAlgorithm> {
  switch (kind) {
    case 'rsa':
      return forRsa(details.modulusLength ?? 0);
    case 'ec':
      return forCurve(details.namedCurve);
    case 'ed25519':
      return ok(algorithm('ed25519', null));
  }
}

function forRsa(bits: number): Result<SignatureAlgorithm> {
  // Go computes the bits from the size in octets.
  const size = Math.ceil(bits / 8) * 8;
  if (size >= 4096) return ok(algorithm('rsaSha512', 'sha512'));
  if (size >= 3072) return ok(algorithm('rsaSha384', 'sha384'));
  if (size >= 2048) return ok(algorithm('rsaSha256', 'sha256'));
  return err(`invalid size ${size} for RSA key on signing certificate`);
}

function forCurve(curve: string | undefined): Result<SignatureAlgorithm> {
  switch (curve) {
    case 'prime256v1':
      return ok(algorithm('ecdsaSha256', 'sha256'));
    case 'secp384r1':
      return ok(algorithm('ecdsaSha384', 'sha384'));
    case 'secp521r1':
      return ok(algorithm('ecdsaSha512', 'sha512'));
    default:
      return err('unknown/unsupported curve attached to ECDSA signing certificate');
  }
}

/** RSA requires NULL parameters (RFC 4055 section 5), the others none (RFC 5758 section 3.2, RFC 8410 section 3). */
function algorithm(name: keyof typeof SIGNATURE, digest: string | null): SignatureAlgorithm {
  const oid = encodeOid(SIGNATURE[name]);
  return { name, digest, der: name.startsWith('rsa') ? sequence(oid, tlv(TAG.null)) : sequence(oid) };
}
