// Parses one of the webhook's CAs from a Secret, and verifies that the private key matches the certificate. Pure; never
// throws; checks no dates.

import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { readCaCertificate } from './ca-certificate.ts';

/** A CA certificate and its private key (PEM). */
export interface CertificateAuthority {
  readonly certPem: string;
  readonly keyPem: string;
}

/** The error says why this CA cannot sign what issueServingCertificate creates. */
export function readAuthority(certPem: string, keyPem: string): Result<CertificateAuthority> {
  const certificate = readCaCertificate(certPem);
  if (!certificate.ok) return certificate;
  // Re-encoded: text around the PEM block would end up in the caBundle.
  return isKeyOf(certificate.value.publicKey, keyPem)
    ? ok({ certPem: certificate.value.toString(), keyPem })
    : err('its private key does not match its CA certificate');
}

/**
 * A key file also contains the public key, and comparing that proves nothing about the private key: only a
 * signature does.
 */
function isKeyOf(publicKey: KeyObject, keyPem: string): boolean {
  try {
    const key = createPrivateKey(keyPem);
    // WebCrypto, which signs with the key, rejects damage that OpenSSL accepts.
    key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const probe = Buffer.from('countersign');
    return verify('sha256', probe, publicKey, sign('sha256', probe, key));
  } catch {
    return false;
  }
}
