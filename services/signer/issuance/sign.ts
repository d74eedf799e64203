// Signs a linted certificate, then reads back what it made: nothing leaves this file unless the signature verifies
// under the signer's key and the signed bytes are those that lint saw. Takes nothing that was not linted.

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
  /** Hexadecimal, lower case, in whole octets. */
  readonly serial: string;
  /** Hexadecimal SHA-256 of the DER: the fingerprint that openssl shows. */
  readonly sha256: string;
}

/** An error when the result is not what was linted: the key, the machine or we are at fault, never the requester. */
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

/** OpenSSL throws for a key that it takes and cannot sign with; what it says is about its internals. */
async function trySign(tbs: Buffer, key: SigningKey): Promise<Result<Buffer>> {
  try {
    return ok(await key.sign(tbs));
  } catch {
    return err('the private key cannot sign');
  }
}

/** Lint has judged every byte that was to be signed, so that what is left to see is that just these bytes were, and by whom. */
function checkSigned(der: Buffer, { tbs, signatureAlgorithm }: LintedCertificate, key: SigningKey): Result<true> {
  const fields = readSigned(der);
  if (!fields.ok) return fields;
  const [signed, algorithm, signature] = fields.value;
  if (!signed.bytes.equals(tbs)) return err('the signed bytes differ');
  if (!algorithm.bytes.equals(signatureAlgorithm.der)) return err('the signature algorithm differs');
  const isValid = verify(signatureAlgorithm.digest, tbs, key.publicKey, signature.value.subarray(1));
  return isValid ? ok(true) : err('the signature does not verify');
}
