// Signs a linted certificate, then reads back what it made: nothing leaves this file unless the signature verifies
// under the signer's key and the signed bytes are those that lint saw. Takes nothing that was not linted.

import { createHash, X509Certificate } from 'node:crypto';
import { encodeBitString, readFields, readWhole, sequence, TAG } from '@countersign/common/der.ts';
import { formatPem } from '@countersign/common/pem.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
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
    sha256: createHash('sha256').update(der).digest('hex'),
  };
}

/** Read by our reader for the bytes and by OpenSSL for the meaning: two opinions, neither of them the writer's. */
function checkSigned(der: Buffer, { tbs, profile }: LintedCertificate, key: SigningKey): Result<true> {
  const whole = readWhole(der);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.sequence, TAG.sequence, TAG.bitString]) : whole;
  if (!fields.ok) return fields;
  if (!fields.value[0].bytes.equals(tbs)) return err('the signed bytes differ');
  const certificate = new X509Certificate(der);
  if (BigInt(`0x${certificate.serialNumber}`) !== BigInt(`0x${profile.serial.toString('hex')}`)) {
    return err('the serial differs');
  }
  if (+certificate.validToDate !== +profile.notAfter) return err('the end of validity differs');
  return certificate.verify(key.publicKey) ? ok(true) : err('the signature does not verify');
}
