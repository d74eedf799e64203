// Signs a linted certificate and verifies the result: nothing is returned unless the signature verifies with the
// signer's key and the signed bytes are those that were linted. Accepts only linted certificates.

import { hash, verify } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { encodeBitString, sequence } from '@countersign/common/x509/der.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { readSigned } from '@countersign/common/x509/signature.ts';
import type { SigningKey } from '../authority/signing-key.ts';
import type { LintedCertificate } from './lint.ts';

export interface SignedCertificate {
  readonly der: Buffer;
  readonly pem: string;
  /** Lower-case hexadecimal, in whole octets. */
  readonly serial: string;
  /** Hexadecimal SHA-256 of the DER: the fingerprint that openssl shows. */
  readonly sha256: string;
}

/**
 * Returns an error if the result is not what was linted: the fault is with the key, the machine or this program, never
 * the requester.
 */
export async function signCertificate(linted: LintedCertificate, key: SigningKey): Promise<Result<SignedCertificate>> {
  const { tbs, signatureAlgorithm, profile } = linted;
  const signature = await trySign(tbs, key);
  if (!signature.ok) return signature;
  const der = sequence(tbs, signatureAlgorithm.der, encodeBitString(signature.value));
  const checked = checkSigned(der, linted, key);
  if (!checked.ok) return err(`signed certificate differs from the linted one: ${checked.error}`);
  return ok({
    der,
    pem: formatPem('CERTIFICATE', der),
    serial: profile.serial.toString('hex'),
    sha256: hash('sha256', der, 'hex'),
  });
}

/** OpenSSL throws for a key that it loads but cannot sign with; its error describes its internals. */
async function trySign(tbs: Buffer, key: SigningKey): Promise<Result<Buffer>> {
  try {
    return ok(await key.sign(tbs));
  } catch {
    return err('the private key cannot sign');
  }
}

/** Lint has checked the bytes, so this only checks that exactly these bytes were signed, and by whom. */
function checkSigned(der: Buffer, { tbs, signatureAlgorithm }: LintedCertificate, key: SigningKey): Result<true> {
  const fields = readSigned(der);
  if (!fields.ok) return fields;
  const [signed, algorithm, signature] = fields.value;
  if (!signed.bytes.equals(tbs)) return err('the signed bytes differ');
  if (!algorithm.bytes.equals(signatureAlgorithm.der)) return err('the signature algorithm differs');
  const isValid = verify(signatureAlgorithm.digest, tbs, key.publicKey, signature.value.subarray(1));
  return isValid ? ok(true) : err('the signature does not verify');
}
