// What the owner of an issuer sets for pods, by annotations on the Issuer or ClusterIssuer: the DNS names that they may
// have, their trust domain, and the usages of their certificates. A malformed annotation makes requests wait; it never
// allows more. Pure.

import { keepText } from '../bounded-text.ts';
import { resolveUsages, type X509Usages } from '../key-usage.ts';
import { err, ok, type Result } from '../result.ts';
import { quoteForKubelet } from './kubelet-text.ts';
import { type NamePattern, parseNamePatterns } from './name-patterns.ts';
import { isTrustDomain } from './spiffe-id.ts';

const PREFIX = 'pods.countersign.io/';
export const ALLOWED_DNS_NAMES = `${PREFIX}allowed-dns-names`;
export const TRUST_DOMAIN = `${PREFIX}trust-domain`;
export const USAGES = `${PREFIX}usages`;

/** All keys that are read. A change to an annotation does not change the generation of the issuer. */
export const TERM_ANNOTATIONS: readonly string[] = [ALLOWED_DNS_NAMES, TRUST_DOMAIN, USAGES];

/** Characters: users who may create Issuers must not fill the memory of the signer. */
export const MAX_TERM_LENGTH = 8_192;

export interface PodTerms {
  readonly allowedDnsNames: readonly NamePattern[];
  readonly trustDomain: string;
  readonly usages: X509Usages;
}

/** For an issuer without annotations: flags of the signer. */
export interface TermDefaults {
  readonly trustDomain: string;
  readonly clusterDomain: string;
}

export const DEFAULT_TERMS: TermDefaults = { trustDomain: 'cluster.local', clusterDomain: 'cluster.local' };

/** The only usages, in the order in which a certificate has them. */
const POD_USAGES = ['server auth', 'client auth'] as const;

/** The names of the Services of the pod's namespace, and of the pods behind a headless Service. */
export function defaultPatterns(clusterDomain: string): string {
  const service = `*.\${POD_NAMESPACE}.svc`;
  return [service, `${service}.${clusterDomain}`, `*.${service}`, `*.${service}.${clusterDomain}`].join(', ');
}

/** The annotations that are read, each cut so that one that is too long stays too long, and the first unknown key. */
export function pruneTermAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const unknown = findUnknown(annotations ?? {});
  return Object.fromEntries([
    ...TERM_ANNOTATIONS.flatMap(key => {
      const value = annotations?.[key];
      return value === undefined ? [] : [[key, keepText(value, MAX_TERM_LENGTH + 1)]];
    }),
    ...(unknown === undefined ? [] : [[unknown, '']]),
  ]);
}

/** A misspelled key may be meant to restrict: it must not leave the defaults in force. */
function findUnknown(annotations: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(annotations).find(key => key.startsWith(PREFIX) && !TERM_ANNOTATIONS.includes(key));
}

/** The error says which annotation is malformed, and why. */
export function readPodTerms(
  annotations: Readonly<Record<string, string>> | undefined,
  defaults: TermDefaults,
): Result<PodTerms> {
  const given = annotations ?? {};
  const unknown = findUnknown(given);
  if (unknown !== undefined) return fail(unknown, `is unknown: use ${TERM_ANNOTATIONS.join(', ')}`);
  const tooLong = TERM_ANNOTATIONS.find(key => (given[key] ?? '').length > MAX_TERM_LENGTH);
  if (tooLong !== undefined) return fail(tooLong, `is longer than ${MAX_TERM_LENGTH} characters`);
  const patterns = parseNamePatterns(given[ALLOWED_DNS_NAMES] ?? defaultPatterns(defaults.clusterDomain));
  if (!patterns.ok) return fail(ALLOWED_DNS_NAMES, patterns.error);
  const trustDomain = readTrustDomain(given[TRUST_DOMAIN] ?? defaults.trustDomain);
  if (!trustDomain.ok) return fail(TRUST_DOMAIN, trustDomain.error);
  const usages = readUsages(given[USAGES] ?? POD_USAGES.join());
  if (!usages.ok) return fail(USAGES, usages.error);
  return ok({ allowedDnsNames: patterns.value, trustDomain: trustDomain.value, usages: usages.value });
}

function readTrustDomain(text: string): Result<string> {
  if (isTrustDomain(text)) return ok(text);
  return err(
    `is ${quoteForKubelet(text)}: use a name such as 'cluster.local', of lower-case letters, digits, dots, hyphens and underscores`,
  );
}

/** digitalSignature is all that TLS 1.3 and X509-SVID (section 4.3) need of any key. */
function readUsages(text: string): Result<X509Usages> {
  const named = text.split(',').map(item => item.trim());
  const unknown = named.find(name => !(POD_USAGES as readonly string[]).includes(name));
  if (unknown !== undefined) return err(`has the usage ${quoteForKubelet(unknown)}: use ${POD_USAGES.join(' and ')}`);
  return resolveUsages(['digital signature', ...POD_USAGES.filter(usage => named.includes(usage))]);
}

function fail(key: string, problem: string): Result<never> {
  return err(`the annotation '${key}' ${problem}`);
}
