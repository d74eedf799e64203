// Parses the webhook's own CA certificates from an untrusted Secret or caBundle. Accepts only certificates that every
// API server accepts, also as an issuer. Pure; never throws; checks no dates.

import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { checkShape } from './ca-shape.ts';

/** OpenSSL's name for P-256. */
const NAMED_CURVE = 'prime256v1';

/** Far more than a CA certificate needs; the TLS handshake sends its subject to every caller. */
const MAX_BYTES = 4096;

/** Enough for one CA per replica, and bounds the signature checks that an arbitrary Secret or bundle can cause. */
const MAX_CERTIFICATES = 32;

/** The CA certificates in the text (PEM), without duplicates; everything else is ignored. */
export function readCaCertificates(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const pems = blocks.slice(0, MAX_CERTIFICATES).flatMap(pem => {
    const certificate = readCaCertificate(pem);
    return certificate.ok ? [certificate.value.toString()] : [];
  });
  return [...new Set(pems)];
}

/** The error describes what is wrong with the certificate. */
export function readCaCertificate(pem: string): Result<X509Certificate> {
  try {
    const certificate = new X509Certificate(pem);
    // Decoded lazily: an unknown curve or a damaged point throws here, not above.
    const { publicKey } = certificate;
    if (certificate.raw.length > MAX_BYTES) return err(`its CA certificate has more than ${MAX_BYTES} bytes`);
    if (!certificate.ca) return err('its certificate is not a CA certificate');
    if (publicKey.asymmetricKeyDetails?.namedCurve !== NAMED_CURVE) return err('the key of its CA is not a P-256 key');
    if (!isSelfSigned(certificate)) return err('its CA certificate is not signed by its own key');
    const shape = checkShape(certificate.raw, publicKey);
    return shape.ok ? ok(certificate) : err(`its CA certificate has ${shape.error}`);
  } catch {
    return err('it has no readable certificate');
  }
}

/** Verifying its own signature also detects any damaged byte. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
