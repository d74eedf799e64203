// The problems that make cert-manager's certificate template fail: unknown spec.usages, a malformed PKCS#10 request,
// and a request that contradicts its CSR. Pure.

import { readIsCa } from './annotations.ts';
import type { CertificateSigningRequest } from './csr.ts';
import { formatExtKeyUsages, formatKeyUsages, isKnownExtKeyUsage, type X509Usages } from './key-usage.ts';
import { err, ok, type Result } from './result.ts';
import { findExtension } from './x509/extension.ts';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from './x509/extension-values.ts';
import { EXTENSION } from './x509/oids.ts';
import type { Pkcs10 } from './x509/pkcs10.ts';

export interface TemplateProblem {
  readonly field: 'spec.usages' | 'spec.request';
  readonly problem: string;
}

/** `request` and `usages` as parsed from the CSR. */
export function findTemplateProblems(
  csr: CertificateSigningRequest,
  request: Result<Pkcs10>,
  usages: Result<X509Usages>,
): readonly TemplateProblem[] {
  const problems = request.ok
    ? requestProblems(request.value, readIsCa(csr), usages.ok ? usages.value : undefined)
    : [request.error];
  return [
    ...(usages.ok ? [] : [{ field: 'spec.usages', problem: usages.error } as const]),
    ...problems.map(problem => ({ field: 'spec.request', problem }) as const),
  ];
}

/** `expected` is undefined if spec.usages is invalid: there is nothing to compare with. */
function requestProblems(request: Pkcs10, isCa: boolean, expected: X509Usages | undefined): readonly string[] {
  return [...basicConstraintsProblems(request, isCa), ...usageProblems(request, expected)];
}

/** A request without the extension asks for nothing; with it, it must match the annotation. */
function basicConstraintsProblems(request: Pkcs10, expected: boolean): readonly string[] {
  const extension = findExtension(request, EXTENSION.basicConstraints);
  if (extension === undefined) return [];
  const constraints = parseBasicConstraints(extension.value);
  if (!constraints.ok) return [constraints.error];
  if (constraints.value.isCa === expected) return [];
  return [`encoded CSR error: IsCA ${constraints.value.isCa} does not match expected value ${expected}`];
}

/** If only one of the two extensions is present, the other counts as empty and is compared too. */
function usageProblems(request: Pkcs10, expected: X509Usages | undefined): readonly string[] {
  const encoded = encodedUsages(request);
  if (encoded === undefined) return [];
  if (!encoded.ok) return [encoded.error];
  return expected === undefined ? [] : usageDifferences(encoded.value, expected);
}

/** KeyUsage and ExtendedKeyUsage of the request; undefined if it has neither. */
function encodedUsages(request: Pkcs10): Result<X509Usages> | undefined {
  const keyUsage = findExtension(request, EXTENSION.keyUsage);
  const extKeyUsage = findExtension(request, EXTENSION.extKeyUsage);
  if (keyUsage === undefined && extKeyUsage === undefined) return undefined;
  const mask = keyUsage === undefined ? ok(0) : parseKeyUsage(keyUsage.value);
  const oids = extKeyUsage === undefined ? ok([]) : parseExtKeyUsage(extKeyUsage.value);
  if (!mask.ok) return mask;
  return oids.ok ? ok({ keyUsage: mask.value, extKeyUsages: oids.value }) : err(oids.error);
}

function usageDifferences(encoded: X509Usages, expected: X509Usages): readonly string[] {
  const known = encoded.extKeyUsages.filter(isKnownExtKeyUsage);
  const differences: string[] = [];
  if (encoded.keyUsage !== expected.keyUsage) {
    differences.push(
      `encoded CSR error: the KeyUsages ${formatKeyUsages(encoded.keyUsage)} do not match the expected KeyUsages ${formatKeyUsages(expected.keyUsage)}`,
    );
  }
  // In order, duplicates included: cert-manager compares the lists, not the sets.
  if (known.join() !== expected.extKeyUsages.join()) {
    differences.push(
      `encoded CSR error: the ExtKeyUsages ${formatExtKeyUsages(known)} do not match the expected ExtKeyUsages ${formatExtKeyUsages(expected.extKeyUsages)}`,
    );
  }
  return differences;
}
