// Checks whether a TLS server can use a certificate and key, and whether clients would accept it. The error names the
// file, what is wrong with it, and the fix. No I/O.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import {
  readCertificate,
  readCertificates,
  readPrivateKey,
} from '@countersign/common/runtime/credentials/pem-material.ts';
import type { KeyPair } from './serving-certificate.ts';

/** Returns the certificate; throws if it cannot be used. */
export function checkKeyPair({ cert, key, ca, names = {} }: KeyPair, now: Date): X509Certificate {
  const name = names.cert ?? 'the certificate';
  const certificate = readCertificate(cert, name);
  const privateKey = readPrivateKey(key, names.key ?? 'the private key');
  // Also happens when only one of the two files has been written so far: the next check finds both.
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(explainMismatch(cert, name, privateKey));
  if (certificate.validToDate <= now) throw new Error(`the certificate expired at ${certificate.validTo}`);
  if (ca !== undefined) readCertificates(ca, names.ca ?? 'the client CA file');
  createSecureContext({ cert, key, ca });
  return certificate;
}

function explainMismatch(cert: string, name: string, key: KeyObject): string {
  const at = readCertificates(cert, name).findIndex(certificate => certificate.checkPrivateKey(key));
  return at < 0
    ? 'the private key does not match the certificate'
    : `${name}: the private key matches certificate number ${at + 1}: put that one first, followed by its issuer, and so on`;
}
