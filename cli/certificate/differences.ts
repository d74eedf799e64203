// What differs between the PKCS#10 request and its CSR, and what the certificate will not have although the request
// asks for it: the approver sees what will be signed, not what was sent. Pure.

import { REQUEST_DURATION, readRequestDuration } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { formatGoDuration, SECOND } from '@countersign/common/duration.ts';
import { resolveUsages } from '@countersign/common/key-usage.ts';
import { findTemplateProblems } from '@countersign/common/request-template.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import type { CsrContent, Pkcs10Content } from './request-content.ts';

/** Copied into the certificate, or compared with the CSR. */
const HANDLED: ReadonlySet<string> = new Set([
  EXTENSION.subjectAltName,
  EXTENSION.nameConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extKeyUsage,
  EXTENSION.basicConstraints,
]);

const NAMES: ReadonlyMap<string, string> = new Map(Object.entries(EXTENSION).map(([name, oid]) => [oid, name]));

/** One sentence for each difference. */
export function findDifferences(
  csr: CertificateSigningRequest,
  asked: Pkcs10Content,
  given: CsrContent,
): readonly string[] {
  const contradictions = findTemplateProblems(csr, parsePkcs10(csr.spec.request), resolveUsages(csr.spec.usages))
    .filter(({ field }) => field === 'spec.request')
    .map(({ problem }) => problem);
  return [
    ...contradictions,
    ...silentDifferences(asked, given),
    ...durationDifference(csr),
    ...foreignCharacters(asked),
  ];
}

function silentDifferences({ extensions, isCa }: Pkcs10Content, given: CsrContent): readonly string[] {
  const dropped = extensions.filter(oid => !HANDLED.has(oid)).map(oid => NAMES.get(oid) ?? oid);
  return [
    ...(isCa === undefined && given.isCa
      ? ['the PKCS#10 request does not ask for a CA; the annotation request-is-ca makes the certificate a CA']
      : []),
    ...(dropped.length > 0 ? [`extensions that the certificate will not have: ${dropped.join(', ')}`] : []),
  ];
}

function durationDifference(csr: CertificateSigningRequest): readonly string[] {
  const annotated = readRequestDuration(csr);
  const seconds = csr.spec.expirationSeconds;
  if (!annotated.ok || annotated.value === undefined || seconds == null) return [];
  if (annotated.value === BigInt(seconds) * SECOND) return [];
  const duration = formatGoDuration(annotated.value);
  return [`${REQUEST_DURATION} (${duration}) takes precedence over spec.expirationSeconds (${seconds})`];
}

/** A letter of another script may look like one of a name that the approver knows. */
function foreignCharacters({ subject, names }: Pkcs10Content): readonly string[] {
  const found = new Set([subject, ...names.map(({ value }) => value)].join('').match(/\P{ASCII}/gu) ?? []);
  if (found.size === 0) return [];
  const points = [...found]
    .slice(0, 8)
    .map(character => `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`);
  return [
    `names have characters outside ASCII, which may look like others: ${points.join(', ')}${found.size > 8 ? ' …' : ''}`,
  ];
}
