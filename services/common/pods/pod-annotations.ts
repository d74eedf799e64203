// What a pod asks for by the userAnnotations of its podCertificate source (spec.unverifiedUserAnnotations): DNS names
// and a common name. Never judges whether the pod may have them: that is up to the owner of the issuer
// (pod-terms.ts). Pure.

import { isDnsNameOrWildcard } from '../dns-name.ts';
import { err, ok, type Result } from '../result.ts';
import { CSI_PREFIX, findReplacement } from './csi-driver-keys.ts';
import { quoteForKubelet } from './kubelet-text.ts';
import type { PodCertificateRequest } from './pod-certificate-request.ts';
import { expandVariables, type PodIdentity } from './pod-variables.ts';

const PREFIX = 'pods.countersign.io/';

/** Set by the author of the pod: DNS names for the certificate, separated by commas. */
export const DNS_NAMES = `${PREFIX}dns-names`;

/** Set by the author of the pod: the common name, which has to be one of the DNS names. */
export const COMMON_NAME = `${PREFIX}common-name`;

/** The keys that csi-driver has for the same. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  [DNS_NAMES, `${CSI_PREFIX}dns-names`],
  [COMMON_NAME, `${CSI_PREFIX}common-name`],
]);

/** All keys that are read. */
export const POD_ANNOTATIONS: readonly string[] = [...SYNONYMS].flat();

export const MAX_DNS_NAMES = 64;

/** Characters of a value: 64 names of 253 characters, and some variables. A value may have 256 KiB. */
export const MAX_ANNOTATION_LENGTH = 20_000;

/** RFC 5280 appendix A: ub-common-name. */
const MAX_COMMON_NAME = 64;

/** Characters of a value: 64 variables, and some spaces. */
const MAX_COMMON_NAME_LENGTH = 2_000;

/** Stands for all values that are longer than any limit, which only their length decides. */
export const TOO_LONG = 'x'.repeat(MAX_ANNOTATION_LENGTH + 1);

/** The names that a pod asks for, expanded and in lower case. */
export interface PodNames {
  /** In the order in which they were asked for, without duplicates. */
  readonly dnsNames: readonly string[];
  readonly commonName: string | undefined;
}

/**
 * As much of the annotations as decides: known values, the first unknown key, or two keys for the same. What is too
 * long stays too long. Neither the author of a pod nor a node must fill the memory of the signer.
 */
export function prunePodAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const unknown = Object.keys(annotations).find(isUnknown);
  if (unknown !== undefined) return { [unknown]: '' };
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key, pruneValue(annotations, key, value)]),
  );
}

function pruneValue(annotations: Readonly<Record<string, string>>, key: string, value: string): string {
  const isDouble = [...SYNONYMS].some(
    pair => pair.includes(key) && pair.every(each => Object.hasOwn(annotations, each)),
  );
  if (isDouble) return '';
  return value.length > maximumLength(key) ? TOO_LONG : value;
}

function maximumLength(key: string): number {
  return key === COMMON_NAME || key === SYNONYMS.get(COMMON_NAME) ? MAX_COMMON_NAME_LENGTH : MAX_ANNOTATION_LENGTH;
}

function isUnknown(key: string): boolean {
  return !POD_ANNOTATIONS.includes(key);
}

export function podIdentityOf({ metadata, spec }: Pick<PodCertificateRequest, 'metadata' | 'spec'>): PodIdentity {
  const { podName: name, podUID: uid, serviceAccountName } = spec;
  return { name, uid, serviceAccountName, namespace: metadata.namespace ?? '' };
}

/** The error is one line that kubelet can show. Unknown keys come before bad values. */
export function readPodNames(request: Pick<PodCertificateRequest, 'metadata' | 'spec'>): Result<PodNames> {
  const annotations = request.spec.unverifiedUserAnnotations ?? {};
  const unknown = Object.keys(annotations).find(isUnknown);
  if (unknown !== undefined) return err(describeUnknown(unknown));
  const pod = podIdentityOf(request);
  const dnsNames = readDnsNames(annotations, pod);
  if (!dnsNames.ok) return dnsNames;
  const commonName = readCommonName(annotations, pod, dnsNames.value);
  return commonName.ok ? ok({ dnsNames: dnsNames.value, commonName: commonName.value }) : commonName;
}

function describeUnknown(key: string): string {
  const remedy = findReplacement(key) ?? `use ${DNS_NAMES} and ${COMMON_NAME} only`;
  return `userAnnotations key ${quoteForKubelet(key)} is not supported: ${remedy}`;
}

function readDnsNames(annotations: Readonly<Record<string, string>>, pod: PodIdentity): Result<readonly string[]> {
  const found = findAnnotation(annotations, DNS_NAMES);
  if (!found.ok) return found;
  const { key, value } = found.value;
  if (value.trim() === '') return ok([]);
  const items = value.split(',', MAX_DNS_NAMES + 1);
  if (items.length > MAX_DNS_NAMES) return fail(key, `has more than ${MAX_DNS_NAMES} names`);
  const names = new Set<string>();
  for (const item of items) {
    const name = readName(key, item, pod);
    if (!name.ok) return name;
    names.add(name.value);
  }
  return ok([...names]);
}

function readCommonName(
  annotations: Readonly<Record<string, string>>,
  pod: PodIdentity,
  dnsNames: readonly string[],
): Result<string | undefined> {
  const found = findAnnotation(annotations, COMMON_NAME);
  if (!found.ok) return found;
  const { key, value } = found.value;
  if (value.trim() === '') return ok(undefined);
  const name = readName(key, value, pod);
  if (!name.ok) return name;
  const shown = quoteForKubelet(name.value);
  if (!dnsNames.includes(name.value)) return fail(key, `is ${shown}, which is not one of the names in ${DNS_NAMES}`);
  if (name.value.length <= MAX_COMMON_NAME) return name;
  return fail(key, `is ${name.value.length} characters long, the maximum is ${MAX_COMMON_NAME}: remove it`);
}

/** The value of the key or of its synonym, '' without both. With both, it is not clear which one is meant. */
function findAnnotation(
  annotations: Readonly<Record<string, string>>,
  key: string,
): Result<{ readonly key: string; readonly value: string }> {
  const synonym = SYNONYMS.get(key) ?? key;
  const present = [key, synonym].filter(each => Object.hasOwn(annotations, each));
  if (present.length > 1) return fail(key, `and '${synonym}' are both set: keep one of them`);
  const [used = key] = present;
  const value = annotations[used] ?? '';
  const maximum = maximumLength(used);
  return value.length <= maximum ? ok({ key: used, value }) : fail(used, `is longer than ${maximum} characters`);
}

function readName(key: string, written: string, pod: PodIdentity): Result<string> {
  const text = written.trim();
  const expanded = expandVariables(text, pod);
  if (!expanded.ok) return fail(key, `${expanded.error}, not as in ${quoteForKubelet(text)}`);
  // Not toLowerCase(): that makes a k of the Kelvin sign.
  const name = expanded.value.replace(/[A-Z]+/g, letters => letters.toLowerCase());
  if (isDnsNameOrWildcard(name)) return ok(name);
  return fail(
    key,
    `has ${quoteForKubelet(name)}, which is not a DNS name: use labels of at most 63 letters, digits and hyphens, 253 characters in total, and no IP address`,
  );
}

function fail(key: string, problem: string): Result<never> {
  return err(`userAnnotations key '${key}' ${problem}`);
}
