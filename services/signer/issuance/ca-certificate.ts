// Reads the certificates of a CA's Secret (tls.crt, ca.crt) into what issuing needs of them. The only file that knows
// @peculiar/x509, which reads what others wrote more broadly than this project's own strict reader. Judges no dates.

import 'reflect-metadata';
import { contextTag, readChildren, readFields, readWhole, TAG, type Tlv } from '@countersign/common/der.ts';
import { formatPem, parsePem } from '@countersign/common/pem.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import type { Signed } from '@countersign/common/signature.ts';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from '@peculiar/x509';

export interface CaCertificate {
  readonly der: Buffer;
  /** One CERTIFICATE block, without comments. */
  readonly pem: string;
  /** The DER of the Names, byte for byte. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The DER of the SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** The value of its key identifier, if it carries one. */
  readonly subjectKeyIdentifier?: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether basicConstraints says so. */
  readonly isCa: boolean;
  /**
   * Whether certificates that it has signed are accepted (Go's CheckSignatureFrom): a CA, and not kept from it by
   * keyUsage.
   */
  readonly canSignCertificates: boolean;
  /** Its own signature, to be verified with the key of its issuer. */
  readonly signed: Omit<Signed, 'spki'>;
}

/** Bytes of PEM: cert-manager's limit for a certificate chain. */
const MAX_PEM_SIZE = 95_000;

/** Parses every certificate of the text, at least one, in order. Error texts as in cert-manager. */
export function parseCertificates(pem: string | Buffer): Result<readonly CaCertificate[]> {
  if (pem.length > MAX_PEM_SIZE) return failPem(`provided PEM data was larger than the maximum ${MAX_PEM_SIZE}B`);
  const blocks = parsePem(pem.toString());
  if (!blocks.ok) return failPem(blocks.error);
  if (blocks.value.length === 0) return failPem('no valid certificates found');
  const certificates: CaCertificate[] = [];
  for (const { label, der } of blocks.value) {
    const certificate = label === 'CERTIFICATE' ? parseCertificate(der) : err(`unexpected PEM block ${label}`);
    if (!certificate.ok) return err(`error parsing X.509 certificate: ${certificate.error}`);
    certificates.push(certificate.value);
  }
  return ok(certificates);
}

function failPem(problem: string): Result<never> {
  return err(`error decoding certificate PEM block: ${problem}`);
}

function parseCertificate(der: Buffer): Result<CaCertificate> {
  const parts = sliceCertificate(der);
  if (!parts.ok) return parts;
  const meaning = readMeaning(der);
  if (!meaning.ok) return meaning;
  const { isVersion3, ...bytes } = parts.value;
  const { isCa, maySignCertificates, ...rest } = meaning.value;
  // Go takes a certificate of version 1 for a CA if need be, since it has no extension to deny it.
  const canSignCertificates = maySignCertificates && (isCa || !isVersion3);
  return ok({ der, pem: formatPem('CERTIFICATE', der), ...bytes, ...rest, isCa, canSignCertificates });
}

interface Slices extends Pick<CaCertificate, 'subject' | 'issuer' | 'spki' | 'signed'> {
  readonly isVersion3: boolean;
}

/** The parts whose bytes matter, cut out and not encoded again. */
function sliceCertificate(der: Buffer): Result<Slices> {
  const whole = readWhole(der);
  const parts = whole.ok ? readFields(whole.value, TAG.sequence, [TAG.sequence, TAG.sequence, TAG.bitString]) : whole;
  if (!parts.ok) return parts;
  const [tbs, algorithm, signature] = parts.value;
  const fields = sliceTbs(tbs);
  if (!fields.ok) return fields;
  const signed = { algorithm: algorithm.bytes, data: tbs.bytes, signature: signature.value.subarray(1) };
  return ok({ ...fields.value, signed });
}

function sliceTbs(tbs: Tlv): Result<Pick<Slices, 'subject' | 'issuer' | 'spki' | 'isVersion3'>> {
  const fields = readChildren(tbs);
  if (!fields.ok) return fields;
  const [first, ...others] = fields.value;
  const hasVersion = first?.tag === contextTag(0, 'constructed');
  // Without a version (it is 1 then) the serial is the first field.
  const [, , issuer, , subject, spki] = hasVersion ? others : fields.value;
  if (!issuer || !subject || !spki) return err('malformed certificate');
  const isVersion3 = hasVersion && first.value.at(-1) === 2;
  return ok({ issuer: issuer.bytes, subject: subject.bytes, spki: spki.bytes, isVersion3 });
}

interface Meaning extends Pick<CaCertificate, 'subjectKeyIdentifier' | 'notBefore' | 'notAfter' | 'isCa'> {
  readonly maySignCertificates: boolean;
}

function readMeaning(der: Buffer): Result<Meaning> {
  try {
    const certificate = new X509Certificate(der);
    const usages = certificate.getExtension(KeyUsagesExtension)?.usages ?? 0;
    const keyId = certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    return ok({
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      isCa: certificate.getExtension(BasicConstraintsExtension)?.ca ?? false,
      maySignCertificates: usages === 0 || (usages & KeyUsageFlags.keyCertSign) !== 0,
      ...(keyId ? { subjectKeyIdentifier: Buffer.from(keyId, 'hex') } : {}),
    });
  } catch (error) {
    // The library throws for what it cannot read; a Secret with such a certificate is an expected "no".
    return err(error instanceof Error ? error.message : String(error));
  }
}
