// Verifies a signature by its AlgorithmIdentifier, as Go's CheckSignature does: the algorithm must match the key type;
// SHA-1 is accepted only if the caller allows it, MD5 never. Never throws: what cannot be verified is invalid.

import { constants, verify } from 'node:crypto';
import { err, ok, type Result } from '../result.ts';
import { decodeOid, readFields, readWhole, TAG, type Tlv } from './der.ts';
import { DIGEST, MGF1, SIGNATURE } from './oids.ts';
import { checkPublicKey, type KeyKind, readAlgorithm } from './public-key.ts';

export interface Signed {
  /** The DER of the AlgorithmIdentifier. */
  readonly algorithm: Buffer;
  /** The DER of the signer's SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly data: Buffer;
  readonly signature: Buffer;
}

/**
 * Splits a signed X.509 or PKCS#10 structure (RFC 5280 section 4.1, RFC 2986 section 4.2) into the signed content, its
 * AlgorithmIdentifier, and the BIT STRING of the signature.
 */
export function readSigned(der: Buffer): Result<readonly [content: Tlv, algorithm: Tlv, signature: Tlv]> {
  const whole = readWhole(der);
  return whole.ok ? readFields(whole.value, TAG.sequence, [TAG.sequence, TAG.sequence, TAG.bitString]) : whole;
}

/** How a signature is made; no digest if the algorithm has its own. */
interface Scheme {
  readonly kind: KeyKind;
  readonly digest?: string;
  /** Bytes of salt, for RSASSA-PSS only. */
  readonly saltLength?: number;
}

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  [SIGNATURE.rsaSha1, { kind: 'rsa', digest: 'sha1' }],
  [SIGNATURE.rsaSha1Oiw, { kind: 'rsa', digest: 'sha1' }],
  [SIGNATURE.rsaSha256, { kind: 'rsa', digest: 'sha256' }],
  [SIGNATURE.rsaSha384, { kind: 'rsa', digest: 'sha384' }],
  [SIGNATURE.rsaSha512, { kind: 'rsa', digest: 'sha512' }],
  [SIGNATURE.ecdsaSha1, { kind: 'ec', digest: 'sha1' }],
  [SIGNATURE.ecdsaSha256, { kind: 'ec', digest: 'sha256' }],
  [SIGNATURE.ecdsaSha384, { kind: 'ec', digest: 'sha384' }],
  [SIGNATURE.ecdsaSha512, { kind: 'ec', digest: 'sha512' }],
  [SIGNATURE.ed25519, { kind: 'ed25519' }],
]);

/** The digests that Go supports with RSASSA-PSS, each with a salt of its length. */
const PSS_SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  [DIGEST.sha256, { kind: 'rsa', digest: 'sha256', saltLength: 32 }],
  [DIGEST.sha384, { kind: 'rsa', digest: 'sha384', saltLength: 48 }],
  [DIGEST.sha512, { kind: 'rsa', digest: 'sha512', saltLength: 64 }],
]);

/** trailerField [3], which can only be 1 (RFC 4055 section 3.1). */
const TRAILER_FIELD = Buffer.of(0xa3, 3, TAG.integer, 1, 1);

export type Sha1 = 'sha1' | 'no sha1';

export function isValidSignature(signed: Signed, sha1: Sha1): boolean {
  const scheme = chooseScheme(signed, sha1);
  if (scheme === undefined) return false;
  try {
    return verify(scheme.digest ?? null, signed.data, keyFor(scheme, signed.spki), signed.signature);
  } catch {
    // OpenSSL throws for a well-formed but invalid key, e.g. a point that is not on its curve.
    return false;
  }
}

/** Verifies off the main thread, for a key that a tenant chose: P-521 and RSA-8192 take about 2 ms. */
export function verifySignature(signed: Signed, sha1: Sha1): Promise<boolean> {
  const scheme = chooseScheme(signed, sha1);
  if (scheme === undefined) return Promise.resolve(false);
  return new Promise(resolve => {
    const answer = (error: Error | null, isValid: boolean) => resolve(error === null && isValid);
    try {
      verify(scheme.digest ?? null, signed.data, keyFor(scheme, signed.spki), signed.signature, answer);
    } catch {
      resolve(false);
    }
  });
}

/** Undefined if the key cannot have made the signature, or if its algorithm is not accepted. */
function chooseScheme({ algorithm, spki }: Signed, sha1: Sha1): Scheme | undefined {
  const scheme = readScheme(algorithm);
  const kind = checkPublicKey(spki);
  if (!scheme.ok || !kind.ok || kind.value !== scheme.value.kind) return undefined;
  return scheme.value.digest === 'sha1' && sha1 === 'no sha1' ? undefined : scheme.value;
}

/** The key in DER: a KeyObject that is used once would cost a fifth more (measured). */
function keyFor({ saltLength }: Scheme, spki: Buffer) {
  const pss = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return { key: spki, format: 'der', type: 'spki', ...pss } as const;
}

function readScheme(algorithm: Buffer): Result<Scheme> {
  const whole = readWhole(algorithm);
  const identifier = whole.ok ? readAlgorithm(whole.value) : whole;
  if (!identifier.ok) return identifier;
  const { oid, parameters } = identifier.value;
  if (oid === SIGNATURE.rsaPss) return readPssScheme(parameters);
  // RFC 8410 section 3: the parameters must be absent.
  if (oid === SIGNATURE.ed25519 && parameters !== undefined) return err('unexpected parameters');
  const scheme = SCHEMES.get(oid);
  return scheme === undefined ? err('unknown signature algorithm') : ok(scheme);
}

/**
 * RSASSA-PSS-params (RFC 4055 section 3.1), restricted as in Go: MGF1 with the same digest, and a salt of its length.
 */
function readPssScheme(parameters: Tlv | undefined): Result<Scheme> {
  const fields = parameters ? readPssParameters(parameters) : err('no parameters');
  if (!fields.ok) return fields;
  const [hash, mask, salt] = fields.value;
  const digest = readDigest(hash.value);
  const maskDigest = readMaskDigest(mask.value);
  if (!digest.ok || !maskDigest.ok || digest.value !== maskDigest.value) return err('unsupported parameters');
  const scheme = PSS_SCHEMES.get(digest.value);
  const expectedSalt = Buffer.of(TAG.integer, 1, scheme?.saltLength ?? 0);
  return scheme !== undefined && salt.value.equals(expectedSalt) ? ok(scheme) : err('unsupported parameters');
}

/** Digest, mask and salt; the trailer field, which has only one value, may be explicit. */
function readPssParameters(parameters: Tlv): Result<readonly [hash: Tlv, mask: Tlv, salt: Tlv, ...Tlv[]]> {
  const hasTrailer = parameters.value.subarray(-TRAILER_FIELD.length).equals(TRAILER_FIELD);
  if (!hasTrailer) return readFields(parameters, TAG.sequence, [0xa0, 0xa1, 0xa2]);
  return readFields(parameters, TAG.sequence, [0xa0, 0xa1, 0xa2, 0xa3]);
}

/** The digest of MGF1; there is no other mask generation function. */
function readMaskDigest(der: Buffer): Result<string> {
  const whole = readWhole(der);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.oid, TAG.sequence]) : whole;
  if (!fields.ok) return fields;
  const oid = decodeOid(fields.value[0].value);
  return oid.ok && oid.value === MGF1 ? readDigest(fields.value[1].bytes) : err('unknown mask generation function');
}

function readDigest(der: Buffer): Result<string> {
  const whole = readWhole(der);
  const identifier = whole.ok ? readAlgorithm(whole.value) : whole;
  if (!identifier.ok) return identifier;
  const { oid, parameters } = identifier.value;
  return parameters === undefined || parameters.tag === TAG.null ? ok(oid) : err('unexpected parameters');
}
