// Whether a TLS server could serve with a certificate and its key, and clients would take it; if not, what is wrong with which
// file, and what to do. Reads nothing.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import {
  readCertificate,
  readCertificates,
  readPrivateKey,
} from '@countersign/common/runtime/credentials/pem-material.ts';
import type { KeyPair } from './serving-certificate.ts';

/** Gives the certificate; throws when there is none to serve with. */
export function checkKeyPair({ cert, key, ca, names = {} }: KeyPair, now: Date): X509Certificate {
  const name = names.cert ?? 'the certificate';
  const certificate = readCertificate(cert, name);
  const privateKey = readPrivateKey(key, names.key ?? 'the private key');
  // Also what is seen while one of two files is written before the other: the next look finds both.
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(explainMismatch(cert, name, privateKey));
  if (certificate.validToDate <= now) throw new Error(`the certificate ended ${certificate.validTo}`);
  if (ca !== undefined) readCertificates(ca, names.ca ?? 'the client CA file');
  createSecureContext({ cert, key, ca });
  return certificate;
}

function explainMismatch(cert: string, name: string, key: KeyObject): string {
  const at = readCertificates(cert, name).findIndex(certificate => certificate.checkPrivateKey(key));
  return at < 0
    ? 'certificate and key do not belong together'
    : `${name}: the certificate of the key is number ${at + 1}: put it first, then the one that signed it, and so on`;
}
