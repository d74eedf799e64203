// What the certificate will be, or is: from a request that can be signed, or from status.certificate. Pure.

import { X509Certificate } from 'node:crypto';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { contextTag, readChildren, readWhole } from '@countersign/common/x509/der.ts';
import { findExtension, parseExplicitExtensions } from '@countersign/common/x509/extension.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { formatInstant } from '../terminal/time-text.ts';
import { describeKey } from './key-text.ts';
import { generalNameTexts, type NameText, subjectText } from './name-text.ts';
import { usageTexts } from './request-content.ts';

export interface PlannedCertificate {
  readonly subject: string;
  readonly names: readonly NameText[];
  readonly usages: readonly string[];
  readonly isCa: boolean;
  /** If it were signed now. */
  readonly notAfter: string;
}

export function planCertificate(requested: RequestedCertificate, now: Date): PlannedCertificate {
  const { subject, subjectAltName, usages, isCa, lifetimeMs } = requested;
  return {
    subject: subjectText(subject),
    names: subjectAltName === undefined ? [] : generalNameTexts(subjectAltName),
    usages: usageTexts(usages.keyUsage, usages.extKeyUsages),
    isCa,
    notAfter: formatInstant(now.getTime() + lifetimeMs),
  };
}

export interface CertificateContent {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly NameText[];
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly isCa: boolean;
  readonly key: string;
  readonly sha256: string;
}

/** The certificates of a PEM, in order; those that cannot be read are left out. */
export function readCertificates(pem: string): readonly CertificateContent[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap(block => readCertificate(block) ?? []);
}

function readCertificate(block: string): CertificateContent | undefined {
  try {
    return describeCertificate(new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function describeCertificate(certificate: X509Certificate): CertificateContent {
  const { subject, issuer, names } = readNames(certificate.raw);
  return {
    subject,
    issuer,
    names,
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: formatInstant(certificate.validFromDate.getTime()),
    notAfter: formatInstant(certificate.validToDate.getTime()),
    isCa: certificate.ca,
    key: describeKey(certificate.publicKey),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/**
 * Node's own text of a Name is ambiguous: read from the DER (RFC 5280 section 4.1), whose last field has
 * the extensions.
 */
function readNames(der: Buffer): Pick<CertificateContent, 'subject' | 'issuer' | 'names'> {
  const whole = readWhole(der);
  const [tbs] = whole.ok ? childrenOf(whole.value.value) : [];
  const fields =
    tbs === undefined ? [] : childrenOf(tbs.value).filter(({ tag }) => tag !== contextTag(0, 'constructed'));
  const [, , issuer, , subject] = fields;
  const explicit = fields.find(({ tag }) => tag === contextTag(3, 'constructed'));
  const extensions = explicit && parseExplicitExtensions(explicit, 'accept');
  const names = extensions?.ok && findExtension({ extensions: extensions.value }, EXTENSION.subjectAltName);
  return {
    subject: subject === undefined ? '' : subjectText(subject.bytes),
    issuer: issuer === undefined ? '' : subjectText(issuer.bytes),
    names: names ? generalNameTexts(names.value) : [],
  };
}

function childrenOf(value: Buffer) {
  const children = readChildren({ value });
  return children.ok ? children.value : [];
}
