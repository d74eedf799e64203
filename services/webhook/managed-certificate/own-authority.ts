// A CA of the webhook as a Secret holds it: a certificate and its private key, which prove that they belong together. Pure;
// never throws; judges no dates.

import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { readCaCertificate } from './ca-certificate.ts';

/** A CA: its certificate and private key, PEM. */
export interface CertificateAuthority {
  readonly certPem: string;
  readonly keyPem: string;
}

/** The error says why these cannot sign what issueServingCertificate makes. */
export function readAuthority(certPem: string, keyPem: string): Result<CertificateAuthority> {
  const certificate = readCaCertificate(certPem);
  if (!certificate.ok) return certificate;
  // Written again: text around the PEM block would go into the caBundle.
  return isKeyOf(certificate.value.publicKey, keyPem)
    ? ok({ certPem: certificate.value.toString(), keyPem })
    : err('its private key is not the key of its CA certificate');
}

/** A key file carries its public key as well, and is compared by that alone: the private number shows only in a signature. */
function isKeyOf(publicKey: KeyObject, keyPem: string): boolean {
  try {
    const key = createPrivateKey(keyPem);
    // WebCrypto, which signs with it, refuses damage that OpenSSL lets pass.
    key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const probe = Buffer.from('countersign');
    return verify('sha256', probe, publicKey, sign('sha256', probe, key));
  } catch {
    return false;
  }
}
