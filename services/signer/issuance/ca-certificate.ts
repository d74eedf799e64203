// Reads the certificates of a CA's Secret (tls.crt, ca.crt) into what issuing needs of them: OpenSSL reads each as a whole,
// what it does not tell is cut out of the DER. Judges no dates. Not read with @peculiar/x509, which takes 70 ms to load and
// 9 MB (measured), all of it before the first certificate can be signed.

import { X509Certificate } from 'node:crypto';
import { contextTag, readChildren, type Tlv } from '@countersign/common/der.ts';
import { type Extension, findExtension, parseExplicitExtensions } from '@countersign/common/extension.ts';
import { parseBasicConstraints, parseKeyUsage } from '@countersign/common/extension-values.ts';
import { EXTENSION } from '@countersign/common/oids.ts';
import { formatPem, type PemBlock, parsePem } from '@countersign/common/pem.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { readSigned, type Signed } from '@countersign/common/signature.ts';
import { type CertificateFields, findFault } from './ca-certificate-faults.ts';
import { readKeyIdentifier } from './extension-readers.ts';

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

/** Bit 5 of KeyUsage (RFC 5280 section 4.2.1.3). */
const KEY_CERT_SIGN = 1 << 5;

/** Bytes of PEM: cert-manager's limits for a certificate chain, and for a bundle of trusted certificates. */
const MAX_CHAIN_SIZE = 95_000;
const MAX_BUNDLE_SIZE = 330_000;

/** Several times what a CA needs that several others have cross-signed; a tenant's Secret may not cost more to read. */
const MAX_CERTIFICATES = 32;

/** Parses every certificate of the text, at least one, in order. Error texts as in cert-manager. */
export function parseCertificates(pem: string | Buffer): Result<readonly CaCertificate[]> {
  const blocks = readBlocks(pem, MAX_CHAIN_SIZE);
  if (!blocks.ok) return blocks;
  const { length } = blocks.value;
  if (length > MAX_CERTIFICATES) {
    return err(`certificate chain is too long: ${length} certificates, the maximum is ${MAX_CERTIFICATES}`);
  }
  const certificates: CaCertificate[] = [];
  for (const block of blocks.value) {
    const certificate = parseBlock(block);
    if (!certificate.ok) return certificate;
    certificates.push(certificate.value);
  }
  return ok(certificates);
}

/** Parses the first certificate of a bundle of trusted ones, and only that: the others say nothing of the CA. */
export function parseFirstCertificate(bundlePem: string | Buffer): Result<CaCertificate> {
  const blocks = readBlocks(bundlePem, MAX_BUNDLE_SIZE);
  return blocks.ok ? parseBlock(blocks.value[0]) : blocks;
}

function readBlocks(pem: string | Buffer, maxSize: number): Result<readonly [PemBlock, ...PemBlock[]]> {
  if (pem.length > maxSize) return failPem(`provided PEM data was larger than the maximum ${maxSize}B`);
  const blocks = parsePem(pem.toString());
  if (!blocks.ok) return failPem(blocks.error);
  const [first, ...others] = blocks.value;
  return first === undefined ? failPem('no valid certificates found') : ok([first, ...others]);
}

function parseBlock({ label, der }: PemBlock): Result<CaCertificate> {
  const certificate = label === 'CERTIFICATE' ? parseCertificate(der) : err(`unexpected PEM block ${label}`);
  return certificate.ok ? certificate : err(`error parsing X.509 certificate: ${certificate.error}`);
}

function failPem(problem: string): Result<never> {
  return err(`error decoding certificate PEM block: ${problem}`);
}

function parseCertificate(der: Buffer): Result<CaCertificate> {
  const parts = sliceCertificate(der);
  if (!parts.ok) return parts;
  const validity = readValidity(der);
  if (!validity.ok) return validity;
  const meaning = readMeaning(parts.value);
  if (!meaning.ok) return meaning;
  const { isVersion3, extensions: _, ...bytes } = parts.value;
  const { isCa, maySignCertificates, ...rest } = meaning.value;
  // Go takes a certificate of version 1 for a CA if need be, since it has no extension to deny it.
  const canSignCertificates = maySignCertificates && (isCa || !isVersion3);
  return ok({
    der,
    pem: formatPem('CERTIFICATE', der),
    ...bytes,
    ...validity.value,
    ...rest,
    isCa,
    canSignCertificates,
  });
}

function readValidity(der: Buffer): Result<Pick<CaCertificate, 'notBefore' | 'notAfter'>> {
  try {
    const { validFromDate: notBefore, validToDate: notAfter } = new X509Certificate(der);
    // OpenSSL reads a time only when it is asked for it: of one that is none nobody could tell whether it has come.
    const areTimes = [notBefore, notAfter].every(time => !Number.isNaN(time.getTime()));
    return areTimes ? ok({ notBefore, notAfter }) : err('x509: malformed validity');
  } catch {
    // What OpenSSL says is about its internals, and tells a user nothing.
    return err('malformed certificate');
  }
}

interface Slices extends Pick<CaCertificate, 'subject' | 'issuer' | 'spki' | 'signed'> {
  readonly isVersion3: boolean;
  readonly extensions: readonly Extension[];
}

/** The parts whose bytes matter, cut out and not encoded again. */
function sliceCertificate(der: Buffer): Result<Slices> {
  const parts = readSigned(der);
  if (!parts.ok) return parts;
  const [tbs, algorithm, signature] = parts.value;
  const fields = sliceTbs(tbs);
  if (!fields.ok) return fields;
  const { issuer, subject, spki, isVersion3, extensions } = fields.value;
  const fault = findFault(fields.value);
  if (fault !== undefined) return err(fault);
  if (!fields.value.algorithm.bytes.equals(algorithm.bytes)) {
    return err("x509: inner and outer signature algorithm identifiers don't match");
  }
  const signed = { algorithm: algorithm.bytes, data: tbs.bytes, signature: signature.value.subarray(1) };
  return ok({ issuer: issuer.bytes, subject: subject.bytes, spki: spki.bytes, isVersion3, extensions, signed });
}

interface TbsFields extends CertificateFields {
  readonly isVersion3: boolean;
  readonly algorithm: Tlv;
  readonly spki: Tlv;
}

function sliceTbs(tbs: Tlv): Result<TbsFields> {
  const fields = readChildren(tbs);
  if (!fields.ok) return fields;
  const [version, fieldsBehind] = splitVersion(fields.value);
  const [serial, algorithm, issuer, , subject, spki, ...optional] = fieldsBehind;
  if (!serial || !algorithm || !issuer || !subject || !spki) return err('malformed certificate');
  const explicit = optional.find(({ tag }) => tag === contextTag(3, 'constructed'));
  const extensions = explicit ? parseExplicitExtensions(explicit, 'let pass') : ok([]);
  if (!extensions.ok) return extensions;
  const isVersion3 = version?.value.at(-1) === 2;
  return ok({ version, serial, algorithm, issuer, subject, spki, isVersion3, extensions: extensions.value });
}

/** Without a version, which is 1 then, the serial is the first field. */
function splitVersion(fields: readonly Tlv[]): readonly [version: Tlv | undefined, behind: readonly Tlv[]] {
  const [version, ...behind] = fields;
  return version?.tag === contextTag(0, 'constructed') ? [version, behind] : [undefined, fields];
}

interface Meaning extends Pick<CaCertificate, 'subjectKeyIdentifier' | 'isCa'> {
  readonly maySignCertificates: boolean;
}

function readMeaning(certificate: Pick<Slices, 'extensions'>): Result<Meaning> {
  const constraints = findExtension(certificate, EXTENSION.basicConstraints);
  const usage = findExtension(certificate, EXTENSION.keyUsage);
  const keyId = findExtension(certificate, EXTENSION.subjectKeyIdentifier);
  const isCa = constraints ? parseBasicConstraints(constraints.value) : ok({ isCa: false });
  const mask = usage ? parseKeyUsage(usage.value) : ok(0);
  if (!isCa.ok) return err('malformed basicConstraints');
  if (!mask.ok) return err('malformed keyUsage');
  const identifier = keyId && readKeyIdentifier(keyId.value);
  return ok({
    ...isCa.value,
    maySignCertificates: mask.value === 0 || (mask.value & KEY_CERT_SIGN) !== 0,
    ...(identifier && { subjectKeyIdentifier: identifier }),
  });
}
