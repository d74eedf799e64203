// Checks an RSA public key of a certificate (RFC 8017 appendix A.1.1, RFC 3279 section 2.3.1): its encoding, and the
// bounds within which Go, and so the API server, verifies signatures.

import { err, ok, type Result } from '../result.ts';
import { decodeUnsigned, readFields, readWhole, TAG, type Tlv } from './der.ts';

const MALFORMED = 'malformed RSA public key: must consist of a modulus and an exponent; create a new key and request';
const INVALID_EXPONENT =
  'the RSA public exponent must be odd and between 3 and 2^31 - 1: create a key with exponent 65537';

/** Bits of the modulus. Go rejects fewer since 1.24. */
const MINIMUM_SIZE = 1024;

/** Bits of the modulus. OpenSSL verifies nothing larger (OPENSSL_RSA_MAX_MODULUS_BITS). */
const MAXIMUM_SIZE = 16_384;

/**
 * What is wrong with the parameters or the subjectPublicKey of an RSA key, and how to fix it; undefined if nothing is.
 */
export function findRsaProblem(parameters: Tlv | undefined, octets: Buffer): string | undefined {
  const numbers = readNumbers(octets);
  if (!numbers.ok || parameters?.tag !== TAG.null || parameters.value.length > 0) return MALFORMED;
  const { modulus, exponent } = numbers.value;
  const size = bitLength(modulus);
  if (size < MINIMUM_SIZE) {
    return `the RSA public key has ${size} bits; the minimum is ${MINIMUM_SIZE}: create a key with at least 2048`;
  }
  if (size > MAXIMUM_SIZE) {
    return `the RSA public key has ${size} bits; the maximum is ${MAXIMUM_SIZE}: create a key with 4096`;
  }
  if (!isOdd(modulus)) return 'the RSA modulus is even: create a new key';
  return isOdd(exponent) && isWithinBounds(exponent) ? undefined : INVALID_EXPONENT;
}

/**
 * From 3 to 2^31 - 1. With exponent 1 anyone can sign: a signature is then just the padded digest (RFC 8017
 * section 8.2.1).
 */
function isWithinBounds(exponent: Buffer): boolean {
  const size = bitLength(exponent);
  return size >= 2 && size < 32;
}

/** Of a magnitude without leading zeros. */
function bitLength(magnitude: Buffer): number {
  const [first] = magnitude;
  return first === undefined ? 0 : magnitude.length * 8 - (Math.clz32(first) - 24);
}

/** The two integers of an RSAPublicKey. Go accepts trailing data and drops it; here a key is copied byte for byte. */
function readNumbers(octets: Buffer): Result<{ readonly modulus: Buffer; readonly exponent: Buffer }> {
  const whole = readWhole(octets);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.integer, TAG.integer]) : whole;
  if (!fields.ok) return fields;
  const modulus = decodeUnsigned(fields.value[0].value);
  const exponent = decodeUnsigned(fields.value[1].value);
  return modulus.ok && exponent.ok ? ok({ modulus: modulus.value, exponent: exponent.value }) : err(MALFORMED);
}

function isOdd(magnitude: Buffer): boolean {
  return (magnitude.at(-1) ?? 0) % 2 === 1;
}
