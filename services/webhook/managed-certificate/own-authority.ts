// Reads CAs as certificate-authority.ts makes them, from a Secret or caBundle that may hold anything. What the API server could
// refuse, or refuse the signatures of, is not read. Pure; never throws; judges no dates.

import { createPrivateKey, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { contextTag, readChildren, readFields, readWhole, TAG } from '@countersign/common/der.ts';
import { type Extension, findExtension, parseExplicitExtensions } from '@countersign/common/extension.ts';
import { parseKeyUsage } from '@countersign/common/extension-values.ts';

/** A CA: its certificate and private key, PEM. */
export interface CertificateAuthority {
  readonly certPem: string;
  readonly keyPem: string;
}

/** P-256, by OpenSSL's name. */
const NAMED_CURVE = 'prime256v1';

/** Bit 5 of KeyUsage (RFC 5280 section 4.2.1.3). */
const KEY_CERT_SIGN = 1 << 5;
const KEY_USAGE = '2.5.29.15';

/** subjectKeyIdentifier, keyUsage, basicConstraints, and authorityKeyIdentifier, which OpenSSL adds. */
const EXTENSIONS: ReadonlySet<string> = new Set(['2.5.29.14', KEY_USAGE, '2.5.29.19', '2.5.29.35']);

/** A Secret or bundle filled with something else must not cost more than this many signature checks. */
const MAX_CERTIFICATES = 8;

/** undefined unless these belong together and can sign what issueServingCertificate makes. */
export function readAuthority(certPem: string, keyPem: string): CertificateAuthority | undefined {
  try {
    const certificate = readCaCertificate(certPem);
    const isPair = certificate !== undefined && signsFor(createPrivateKey(keyPem), certificate.publicKey);
    // Written again: text around the PEM block would go into the caBundle.
    return isPair ? { certPem: certificate.toString(), keyPem } : undefined;
  } catch {
    // Not a key: the caller makes a new CA, which is what the owner of a damaged Secret wants.
    return undefined;
  }
}

/** A key file carries its public key as well, and is compared by that alone: the private number shows only in a signature. */
function signsFor(key: KeyObject, publicKey: KeyObject): boolean {
  // WebCrypto, which signs with it, refuses damage that OpenSSL lets pass.
  key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const probe = Buffer.from('countersign');
  return verify('sha256', probe, publicKey, sign('sha256', probe, key));
}

/** The CA certificates of the text (PEM), each once; whatever else is in it is left out. */
export function readCaCertificates(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const pems = blocks.slice(0, MAX_CERTIFICATES).flatMap(pem => readCaCertificate(pem)?.toString() ?? []);
  return [...new Set(pems)];
}

/**
 * Its own signature shows that no byte is damaged. An extension that createAuthority does not write (name constraints, key
 * usages, policies) could make the API server refuse the CA or what it signs.
 */
function readCaCertificate(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    // Decoded only when it is asked for: an unknown curve or a damaged point throws here, not above.
    const { publicKey } = certificate;
    const isKnownKey = publicKey.asymmetricKeyDetails?.namedCurve === NAMED_CURVE;
    return certificate.ca && isKnownKey && isSelfSigned(certificate) && hasKnownExtensions(certificate.raw)
      ? certificate
      : undefined;
  } catch {
    return undefined;
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

function hasKnownExtensions(der: Buffer): boolean {
  const extensions = readExtensions(der);
  const keyUsage = findExtension({ extensions }, KEY_USAGE);
  const usages = keyUsage === undefined ? undefined : parseKeyUsage(keyUsage.value);
  return (
    usages?.ok === true && (usages.value & KEY_CERT_SIGN) !== 0 && extensions.every(({ oid }) => EXTENSIONS.has(oid))
  );
}

/** None when they cannot be read. */
function readExtensions(der: Buffer): readonly Extension[] {
  const whole = readWhole(der);
  const parts = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.sequence, TAG.any, TAG.bitString]) : whole;
  const fields = parts.ok ? readChildren(parts.value[0]) : parts;
  const explicit = fields.ok ? fields.value.find(({ tag }) => tag === contextTag(3, 'constructed')) : undefined;
  const extensions = explicit && parseExplicitExtensions(explicit, 'refused');
  return extensions?.ok ? extensions.value : [];
}
