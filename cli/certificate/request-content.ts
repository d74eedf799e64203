// Decodes what a CSR asks for: every name of the PKCS#10 request, its key and extensions, and what the CSR adds to
// it. Pure.

import { readIsCa, readPrivateKeySecretName, readRequestDuration } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { extKeyUsageName, keyUsageNames } from '@countersign/common/key-usage.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { requestedDuration } from '@countersign/common/requested-duration.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { hasValidSignature, type Pkcs10, parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { formatLifetime } from '../terminal/time-text.ts';
import { keyFingerprint, keyText } from './key-text.ts';
import { generalNameTexts, type NameText, subjectText } from './name-text.ts';

/** The PKCS#10 request. */
export interface Pkcs10Content {
  readonly subject: string;
  readonly names: readonly NameText[];
  readonly key: string;
  readonly keySha256: string;
  readonly signature: 'valid' | 'invalid';
  /** Names of usages; undefined if the request has neither keyUsage nor extKeyUsage. */
  readonly usages: readonly string[] | undefined;
  /** Undefined without basicConstraints. */
  readonly isCa: boolean | undefined;
  /** OIDs of all extensions. */
  readonly extensions: readonly string[];
}

/** The fields of the CSR that shape the certificate. */
export interface CsrContent {
  readonly usages: readonly string[];
  readonly isCa: boolean;
  readonly duration: string;
  readonly durationFrom: 'annotation' | 'spec.expirationSeconds' | 'default';
  readonly keySecretName: string | undefined;
}

export function decodePkcs10(csr: CertificateSigningRequest): Result<Pkcs10Content> {
  const request = parsePkcs10(csr.spec.request);
  if (!request.ok) return err(request.error);
  const { subject, spki, extensions } = request.value;
  const names = findExtension(request.value, EXTENSION.subjectAltName);
  return ok({
    subject: subjectText(subject),
    names: names === undefined ? [] : generalNameTexts(names.value),
    key: keyText(spki),
    keySha256: keyFingerprint(spki),
    signature: hasValidSignature(request.value) ? 'valid' : 'invalid',
    usages: usagesOf(request.value),
    isCa: caFlagOf(request.value),
    extensions: extensions.map(({ oid }) => oid),
  });
}

function usagesOf(request: Pkcs10): readonly string[] | undefined {
  const [key, extended] = [EXTENSION.keyUsage, EXTENSION.extKeyUsage].map(oid => findExtension(request, oid));
  if (key === undefined && extended === undefined) return undefined;
  const mask = key === undefined ? ok(0) : parseKeyUsage(key.value);
  const oids = extended === undefined ? ok([]) : parseExtKeyUsage(extended.value);
  return [...(mask.ok ? usageTexts(mask.value, []) : []), ...(oids.ok ? usageTexts(0, oids.value) : [])];
}

export function usageTexts(keyUsage: number, extKeyUsages: readonly string[]): readonly string[] {
  return [
    ...keyUsageNames(keyUsage).map(name => name ?? 'unknown'),
    ...extKeyUsages.map(oid => extKeyUsageName(oid) ?? oid),
  ];
}

function caFlagOf(request: Pkcs10): boolean | undefined {
  const extension = findExtension(request, EXTENSION.basicConstraints);
  const constraints = extension && parseBasicConstraints(extension.value);
  return constraints?.ok ? constraints.value.isCa : undefined;
}

export function decodeCsr(csr: CertificateSigningRequest): CsrContent {
  const annotated = readRequestDuration(csr);
  return {
    usages: csr.spec.usages ?? [],
    isCa: readIsCa(csr),
    // An invalid annotation hides expirationSeconds too.
    duration: annotated.ok ? formatLifetime(requestedDuration(csr, PERMISSIVE_POLICY)) : 'invalid',
    durationFrom: !annotated.ok || annotated.value !== undefined ? 'annotation' : durationSource(csr),
    keySecretName: readPrivateKeySecretName(csr),
  };
}

function durationSource({ spec }: CertificateSigningRequest): 'spec.expirationSeconds' | 'default' {
  return spec.expirationSeconds == null ? 'default' : 'spec.expirationSeconds';
}
