// Reads the certificates of the webhook's own CAs from a Secret or caBundle that may hold anything. Accepts only what every API
// server accepts, as an issuer too. Pure; never throws; judges no dates.

import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { checkShape } from './ca-shape.ts';

/** P-256, by OpenSSL's name. */
const NAMED_CURVE = 'prime256v1';

/** Far more than a CA has; every caller of the webhook gets its subject in the TLS handshake. */
const MAX_BYTES = 4096;

/** Enough for a CA of each replica; a Secret or bundle filled with something else costs no more than as many signature checks. */
const MAX_CERTIFICATES = 32;

/** The CA certificates of the text (PEM), each once; whatever else is in it is left out. */
export function readCaCertificates(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const pems = blocks.slice(0, MAX_CERTIFICATES).flatMap(pem => {
    const certificate = readCaCertificate(pem);
    return certificate.ok ? [certificate.value.toString()] : [];
  });
  return [...new Set(pems)];
}

/** The error says what is wrong with the certificate. */
export function readCaCertificate(pem: string): Result<X509Certificate> {
  try {
    const certificate = new X509Certificate(pem);
    // Decoded only when it is asked for: an unknown curve or a damaged point throws here, not above.
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

/** Its own signature shows that no byte is damaged. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
