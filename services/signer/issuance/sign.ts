// Signs a linted certificate, then reads back what it made: nothing leaves this file unless the signature verifies
// under the signer's key and the signed bytes are those that lint saw. Takes nothing that was not linted.

import { hash, verify } from 'node:crypto';
import { encodeBitString, sequence } from '@countersign/common/der.ts';
import { formatPem } from '@countersign/common/pem.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { readSigned } from '@countersign/common/signature.ts';
import type { LintedCertificate } from './lint.ts';
import type { SigningKey } from './signing-key.ts';

export interface SignedCertificate {
  readonly der: Buffer;
  readonly pem: string;
  /** Hexadecimal, lower case, in whole octets. */
  readonly serial: string;
  /** Hexadecimal SHA-256 of the DER: the fingerprint that openssl shows. */
  readonly sha256: string;
}

/**
 * Throws a TerminalError when the result is not what was linted: a defect of ours or of the machine, never the
 * requester's.
 */
export async function signCertificate(linted: LintedCertificate, key: SigningKey): Promise<SignedCertificate> {
  const { tbs, signatureAlgorithm, profile } = linted;
  const signature = await key.sign(tbs);
  const der = sequence(tbs, signatureAlgorithm.der, encodeBitString(signature));
  const checked = checkSigned(der, linted, key);
  if (!checked.ok)
    throw new TerminalError(`signed certificate is not what was linted: ${checked.error}`, { code: 'invalid' });
  return {
    der,
    pem: formatPem('CERTIFICATE', der),
    serial: profile.serial.toString('hex'),
    sha256: hash('sha256', der, 'hex'),
  };
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
