// Reads a CSR from a manifest in YAML or JSON. Never sends it.

import { load } from 'js-yaml';
import { usageError } from '../cli-error.ts';
import type { Csr } from '../cluster/csr.ts';

/** Characters; the API server accepts 3 MiB, a CSR that can be signed has less than 200 KiB. */
const MAX_MANIFEST = 1_048_576;

/** `name` is the file, for messages. */
export function parseManifest(text: string, name: string): Csr {
  if (text.length > MAX_MANIFEST)
    throw usageError(`${name} has more than 1 MiB`, 'Give a manifest of one CertificateSigningRequest.');
  const value = parse(text, name);
  const mistake = findMistake(value);
  if (mistake !== undefined)
    throw usageError(
      `${name}: ${mistake}`,
      'Give a manifest of one CertificateSigningRequest of certificates.k8s.io/v1.',
    );
  const csr = value as Csr;
  return { ...csr, metadata: { ...csr.metadata, name: csr.metadata?.name ?? '' } };
}

function parse(text: string, name: string): unknown {
  try {
    return load(text);
  } catch (error) {
    // js-yaml quotes the lines around a mistake, which may contain anything.
    const { mark } = error as { mark?: { line: number; column: number } };
    const place = mark === undefined ? '' : ` at line ${mark.line + 1}, column ${mark.column + 1}`;
    throw usageError(`${name} is not valid YAML${place}`, 'Correct the file.');
  }
}

function findMistake(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'the file has no object';
  const { apiVersion, kind, metadata = {}, spec } = value as Record<string, unknown>;
  if (kind !== 'CertificateSigningRequest') return `the kind is ${JSON.stringify(kind)}`;
  if (apiVersion !== 'certificates.k8s.io/v1') return `the apiVersion is ${JSON.stringify(apiVersion)}`;
  if (typeof metadata !== 'object' || metadata === null) return 'metadata is not a map';
  if (typeof spec !== 'object' || spec === null) return 'spec is missing';
  return findSpecMistake(spec as Record<string, unknown>, metadata as Record<string, unknown>);
}

function findSpecMistake(
  { signerName, request, usages, expirationSeconds }: Record<string, unknown>,
  { name, annotations }: Record<string, unknown>,
): string | undefined {
  const rules: readonly (readonly [boolean, string])[] = [
    [name === undefined || typeof name === 'string', 'metadata.name is not a string'],
    [annotations == null || isTextMap(annotations), 'metadata.annotations is not a map of strings'],
    [typeof signerName === 'string', 'spec.signerName is missing'],
    [typeof request === 'string', 'spec.request is missing'],
    [usages === undefined || isTexts(usages), 'spec.usages is not a list of strings'],
    [expirationSeconds == null || Number.isInteger(expirationSeconds), 'spec.expirationSeconds is not an integer'],
  ];
  return rules.find(([isKept]) => !isKept)?.[1];
}

function isTextMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isTexts(Object.values(value));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
