// Parses the certificates of a CA's Secret (tls.crt, ca.crt) as strictly as the API server later parses them in a chain
// (ca-certificate-faults.ts). Checks no dates, so a result stays true and is kept for a while. Does not use
// @peculiar/x509, which takes 70 ms to load and 9 MB (measured) before the first certificate can be signed. Pure.

import { X509Certificate } from 'node:crypto';
import { KEY_CERT_SIGN } from '@countersign/common/key-usage.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { contextTag, readChildren, readFields, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { type Extension, findExtension, parseExplicitExtensions } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import type { NameConstraints } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { formatPem, type PemBlock, parsePem } from '@countersign/common/x509/pem.ts';
import { readSigned, type Signed } from '@countersign/common/x509/signature.ts';
import { type CertificateFields, findFault } from './ca-certificate-faults.ts';
import { readCertificateTime } from './certificate-time.ts';
import { readKeyIdentifier, readNameConstraints } from './extension-readers.ts';
import { findStrictFaults } from './strict-faults.ts';

export interface CaCertificate {
  readonly der: Buffer;
  /** One CERTIFICATE block, without comments. */
  readonly pem: string;
  /** The DER of the Names, byte for byte. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The DER of the SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** The value of its key identifier, if present. */
  readonly subjectKeyIdentifier?: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether basicConstraints marks it as a CA. */
  readonly isCa: boolean;
  /**
   * Whether certificates signed by it are accepted (Go's CheckSignatureFrom): a CA whose keyUsage, if any, allows it.
   */
  readonly canSignCertificates: boolean;
  /** Why strict clients reject certificates below it; empty if it is not a CA. */
  readonly strictFaults: readonly string[];
  /** What it may sign, if its certificate restricts that. */
  readonly nameConstraints?: NameConstraints;
  /** Its own signature, to be verified with the key of its issuer. */
  readonly signed: Omit<Signed, 'spki'>;
}

/** Maximum PEM size in bytes: cert-manager's limits for a certificate chain and for a trust bundle. */
const MAX_CHAIN_SIZE = 95_000;
const MAX_BUNDLE_SIZE = 330_000;

/** Several times what a cross-signed CA needs; limits what parsing a tenant's Secret may cost. */
const MAX_CERTIFICATES = 32;

/** Parses every certificate in the text, at least one, in order. Error texts as in cert-manager. */
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

/** Parses only the first certificate of a trust bundle: the others say nothing about the CA. */
export function parseFirstCertificate(bundlePem: string | Buffer): Result<CaCertificate> {
  const blocks = readBlocks(bundlePem, MAX_BUNDLE_SIZE);
  return blocks.ok ? parseBlock(blocks.value[0]) : blocks;
}

/**
 * Parses the readable certificates among the first 32 blocks of a trust bundle, and leaves out the others: the CA can
 * sign without them.
 */
export function parseReadableCertificates(bundlePem: string | Buffer): readonly CaCertificate[] {
  const blocks = readBlocks(bundlePem, MAX_BUNDLE_SIZE);
  if (!blocks.ok) return [];
  return blocks.value.slice(0, MAX_CERTIFICATES).flatMap(block => {
    const certificate = parseBlock(block);
    return certificate.ok ? [certificate.value] : [];
  });
}

/** A leaf: its key, the name of its issuer, and its signature. */
export type SignedLeaf = Pick<CaCertificate, 'issuer' | 'spki' | 'signed'>;

/** Reads the first certificate. Checks nothing else: it is a leaf that the API server has accepted. */
export function parseIssuance(chainPem: string): Result<SignedLeaf> {
  const blocks = readBlocks(chainPem, MAX_CHAIN_SIZE);
  const fields = blocks.ok ? sliceCertificate(blocks.value[0].der) : blocks;
  return fields.ok ? ok({ ...toIssuance(fields.value), spki: fields.value.spki.bytes }) : fields;
}

/** What a leaf says: its serial as in the INTEGER, and the DER of its subject and key. */
export interface LeafContent extends Pick<CaCertificate, 'subject' | 'notBefore' | 'notAfter'> {
  readonly serial: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: readonly Extension[];
}

/** Reads a leaf that parseCertificates accepts. Not one of an older version, which Go accepts as a CA. */
export function readLeafContent(der: Buffer): Result<LeafContent> {
  const fields = sliceCertificate(der);
  if (!fields.ok) return fields;
  const { isVersion3, serial, subject, spki, extensions } = fields.value;
  const validity = readValidity(fields.value.validity);
  if (!isVersion3) return err('not a version 3 certificate');
  if (validity === undefined) return err('malformed validity');
  return ok({ serial: serial.value, subject: subject.bytes, publicKey: spki.bytes, ...validity, extensions });
}

function readBlocks(pem: string | Buffer, maxSize: number): Result<readonly [PemBlock, ...PemBlock[]]> {
  if (pem.length > maxSize) return failPem(`provided PEM data was larger than the maximum ${maxSize}B`);
  const blocks = parsePem(pem.toString());
  if (!blocks.ok) return failPem(blocks.error);
  const [first, ...others] = blocks.value;
  return first === undefined ? failPem('no valid certificates found') : ok([first, ...others]);
}

function parseBlock({ label, der }: PemBlock): Result<CaCertificate> {
  const certificate = label === 'CERTIFICATE' ? parseOnce(der) : err(`unexpected PEM block ${label}`);
  return certificate.ok ? certificate : err(`error parsing X.509 certificate: ${certificate.error}`);
}

function failPem(problem: string): Result<never> {
  return err(`error decoding certificate PEM block: ${problem}`);
}

/** The certificates parsed last, by DER: a Vault server returns the same CAs with every certificate. */
const parsedBefore = new Map<string, Result<CaCertificate>>();
const MAX_PARSED_BEFORE = 64;

function parseOnce(der: Buffer): Result<CaCertificate> {
  const key = der.toString('latin1');
  const certificate = parsedBefore.get(key) ?? parseCertificate(der);
  // Move to the end of the queue.
  parsedBefore.delete(key);
  parsedBefore.set(key, certificate);
  const [oldest] = parsedBefore.size > MAX_PARSED_BEFORE ? parsedBefore.keys() : [];
  if (oldest !== undefined) parsedBefore.delete(oldest);
  return certificate;
}

const WAY_OUT = 'the API server rejects this certificate: issue a new one';

function parseCertificate(der: Buffer): Result<CaCertificate> {
  const fields = sliceCertificate(der);
  if (!fields.ok) return fields;
  const validity = readValidity(fields.value.validity);
  const fault = findFault(fields.value) ?? (validity === undefined ? 'x509: malformed validity' : undefined);
  if (fault !== undefined || validity === undefined) return err(`${fault}; ${WAY_OUT}`);
  // OpenSSL's own errors describe its internals and do not help users.
  const meaning = isReadByOpenssl(der) ? readMeaning(fields.value) : err('malformed certificate');
  if (!meaning.ok) return meaning;
  const { isVersion3, subject, spki } = fields.value;
  const { isCa, maySignCertificates, ...rest } = meaning.value;
  return ok({
    der,
    pem: formatPem('CERTIFICATE', der),
    subject: subject.bytes,
    spki: spki.bytes,
    ...toIssuance(fields.value),
    ...validity,
    ...rest,
    isCa,
    strictFaults: strictFaultsOf(fields.value, isCa),
    // Go accepts a version 1 certificate as a CA, since it has no extension that denies it.
    canSignCertificates: maySignCertificates && (isCa || !isVersion3),
  });
}

function strictFaultsOf({ subject, issuer, extensions }: Slices, isCa: boolean): readonly string[] {
  return isCa ? findStrictFaults({ subject: subject.bytes, issuer: issuer.bytes, extensions }) : [];
}

function toIssuance({ issuer, tbs, outerAlgorithm, signature }: Slices): Pick<CaCertificate, 'issuer' | 'signed'> {
  const signed = { algorithm: outerAlgorithm.bytes, data: tbs.bytes, signature: signature.value.subarray(1) };
  return { issuer: issuer.bytes, signed };
}

/** Verifiers that use OpenSSL have to be able to read it as well. */
function isReadByOpenssl(der: Buffer): boolean {
  try {
    new X509Certificate(der);
    return true;
  } catch {
    return false;
  }
}

function readValidity(validity: Tlv): Pick<CaCertificate, 'notBefore' | 'notAfter'> | undefined {
  const times = readFields(validity, TAG.sequence, [TAG.any, TAG.any]);
  const notBefore = times.ok ? readCertificateTime(times.value[0]) : undefined;
  const notAfter = times.ok ? readCertificateTime(times.value[1]) : undefined;
  return notBefore && notAfter ? { notBefore, notAfter } : undefined;
}

interface Slices extends CertificateFields {
  readonly tbs: Tlv;
  readonly validity: Tlv;
  readonly isVersion3: boolean;
}

type Fields = [serial: Tlv, algorithm: Tlv, issuer: Tlv, validity: Tlv, subject: Tlv, spki: Tlv, ...optional: Tlv[]];

/** Slices out the parts whose exact bytes matter, without re-encoding them. */
function sliceCertificate(der: Buffer): Result<Slices> {
  const parts = readSigned(der);
  if (!parts.ok) return parts;
  const [tbs, outerAlgorithm, signature] = parts.value;
  const fields = readChildren(tbs);
  if (!fields.ok) return fields;
  const [version, fieldsBehind] = splitVersion(fields.value);
  if (fieldsBehind.length < 6) return err('malformed certificate');
  const [serial, algorithm, issuer, validity, subject, spki, ...optional] = fieldsBehind as Fields;
  const isVersion3 = version?.value.at(-1) === 2;
  const extensions = readExtensions(isVersion3, optional);
  if (!extensions.ok) return extensions;
  const names = { version, serial, algorithm, issuer, validity, subject, spki, optional };
  return ok({ ...names, tbs, outerAlgorithm, signature, isVersion3, extensions: extensions.value });
}

/** Older versions have no extensions (RFC 5280 section 4.1.2.9), and Go ignores them there. */
function readExtensions(isVersion3: boolean, optional: readonly Tlv[]): Result<readonly Extension[]> {
  const explicit = optional.find(({ tag }) => tag === contextTag(3, 'constructed'));
  return isVersion3 && explicit ? parseExplicitExtensions(explicit, 'accept') : ok([]);
}

/** Without a version field (version 1), the serial comes first. */
function splitVersion(fields: readonly Tlv[]): readonly [version: Tlv | undefined, behind: readonly Tlv[]] {
  const [version, ...behind] = fields;
  return version?.tag === contextTag(0, 'constructed') ? [version, behind] : [undefined, fields];
}

interface Meaning extends Pick<CaCertificate, 'subjectKeyIdentifier' | 'isCa' | 'nameConstraints'> {
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
  const nameConstraints = readNameConstraints(certificate);
  return ok({
    ...isCa.value,
    maySignCertificates: mask.value === 0 || (mask.value & KEY_CERT_SIGN) !== 0,
    ...(identifier && { subjectKeyIdentifier: identifier }),
    ...(nameConstraints && { nameConstraints }),
  });
}
