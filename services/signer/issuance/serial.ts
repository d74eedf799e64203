// The serial number of the certificate of one CSR, by which it is known for ours again. Signs nothing. Pure.

import { hash, X509Certificate } from 'node:crypto';

/**
 * One serial for one CSR, however often it is signed (after a crash, say): 20 octets of SHA-256 over its uid, which the
 * API server makes at random. The top bit is clear, so that it is positive in 20 octets (RFC 5280 section 4.1.2.2).
 */
export function deriveSerial(csrUid: string): Buffer {
  const serial = hash('sha256', `countersign serial v1\0${csrUid}`, 'buffer').subarray(0, 20);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  return serial;
}

/**
 * Whether `certificate` (PEM, or its DER) was signed here for the request with this uid. Not told by managedFields: the
 * API server keeps none for a CSR that was created without labels and annotations.
 */
export function isSignedHere(certificate: string | Buffer, csrUid: string): boolean {
  try {
    return serialOf(new X509Certificate(certificate)) === deriveSerial(csrUid).toString('hex');
  } catch {
    // Another signer may have put there whatever it likes.
    return false;
  }
}

/** All of its octets, as when it was signed, in hexadecimal; Node leaves out a leading zero. */
export function serialOf({ serialNumber }: X509Certificate): string {
  return serialNumber.toLowerCase().padStart(40, '0');
}
