// The rules by which kube-apiserver 1.37 validates a new status of a PodCertificateRequest
// (pkg/apis/certificates/validation): an oracle for tests, which shares no code with the signer. It agreed with the
// original on 600 statuses, two thirds of them broken.

import { X509Certificate } from 'node:crypto';
import type { Condition } from '@countersign/common/csr.ts';
import type {
  PodCertificateRequest,
  PodCertificateRequestStatus,
} from '@countersign/common/pods/pod-certificate-request.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const TYPES = ['Issued', 'Denied', 'Failed'];
const REASON = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;

/** What is wrong with this update of the status; empty if the API server accepts it. */
export function findStatusProblems(
  old: PodCertificateRequest,
  status: PodCertificateRequestStatus,
  serverTime: Date,
): readonly string[] {
  const conditions = findConditionProblems(status);
  if (conditions.length > 0) return conditions;
  const has = (one: PodCertificateRequestStatus, types: readonly string[]) =>
    one.conditions?.some(({ type }) => types.includes(type)) ?? false;
  const isSame = JSON.stringify(old.status ?? {}) === JSON.stringify(status);
  if (has(old.status ?? {}, TYPES)) return isSame ? [] : ['the status is final'];
  if (has(status, ['Denied', 'Failed'])) return findRemains(status);
  if (has(status, ['Issued'])) return findIssuedProblems(old, status, serverTime);
  return isSame ? [] : ['the status changes without a condition'];
}

function findConditionProblems({ conditions = [] }: PodCertificateRequestStatus): readonly string[] {
  const problems = conditions.flatMap(condition =>
    CONDITION_RULES.filter(([, holds]) => !holds(condition)).map(([problem]) => problem),
  );
  return conditions.length > 1 ? [...problems, 'there is more than one condition'] : problems;
}

const CONDITION_RULES: readonly (readonly [string, (condition: Condition) => boolean])[] = [
  ['the condition is unknown', ({ type }) => TYPES.includes(type)],
  ['the condition is not "True"', ({ status }) => status === 'True'],
  ['the reason has the wrong form', ({ reason = '' }) => REASON.test(reason) && reason.length <= 1024],
  ['the message is missing or too long', ({ message }) => message !== undefined && message.length <= 32_768],
  ['lastTransitionTime is missing', ({ lastTransitionTime }) => isSecond(lastTransitionTime)],
];

/** RFC 3339 in whole seconds: what a metav1.Time keeps. */
function isSecond(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
}

function findRemains(status: PodCertificateRequestStatus): readonly string[] {
  const others = Object.keys(status).filter(name => name !== 'conditions');
  return others.map(name => `${name} has a value, though nothing was issued`);
}

function findIssuedProblems(
  { spec }: PodCertificateRequest,
  status: PodCertificateRequestStatus,
  serverTime: Date,
): readonly string[] {
  const { certificateChain = '', notBefore, notAfter, beginRefreshAt } = status;
  if (certificateChain.length > 102_400) return ['the chain is too large'];
  const [leaf, ...others] = readChain(certificateChain);
  if (leaf === undefined || others.includes(undefined)) return ['the chain is not a list of certificates'];
  if (!isSecond(notBefore) || !isSecond(notAfter) || !isSecond(beginRefreshAt)) return ['a time is missing'];
  const times = { begin: Date.parse(notBefore), end: Date.parse(notAfter), refresh: Date.parse(beginRefreshAt) };
  return [
    ...findNameProblems(leaf),
    ...findKeyProblems(leaf, spec.stubPKCS10Request),
    ...findTimeProblems(leaf, times, { serverTime, maxSeconds: spec.maxExpirationSeconds ?? 0 }),
  ];
}

/** One entry for each PEM block; undefined for one that is not a certificate. Text between blocks does not matter. */
function readChain(pem: string): readonly (X509Certificate | undefined)[] {
  const blocks = pem.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g) ?? [];
  return blocks.map(block => {
    try {
      return block.startsWith('-----BEGIN CERTIFICATE-----') ? new X509Certificate(block) : undefined;
    } catch {
      return undefined;
    }
  });
}

function findNameProblems({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const names = subjectAltName.split(', ');
  const hosts = names.filter(name => name.startsWith('DNS:')).map(name => name.slice('DNS:'.length));
  const isBad = (name: string) => name === '' || name.includes('..') || name.startsWith('.') || name.endsWith('.');
  const bad = hosts.filter(isBad).map(name => `the DNS name ${JSON.stringify(name)} has the wrong form`);
  return names.some(name => name.startsWith('email:')) ? [...bad, 'it has an email address'] : bad;
}

/** The encoding of a key is the same in a request and in a certificate. */
function findKeyProblems({ publicKey }: X509Certificate, stub: string): readonly string[] {
  const key = publicKey.export({ format: 'der', type: 'spki' });
  return Buffer.from(stub, 'base64').includes(key) ? [] : ['the certificate has another key than the stub'];
}

function findTimeProblems(
  { validFromDate, validToDate }: X509Certificate,
  { begin, end, refresh }: { readonly begin: number; readonly end: number; readonly refresh: number },
  { serverTime, maxSeconds }: { readonly serverTime: Date; readonly maxSeconds: number },
): readonly string[] {
  const rules: readonly (readonly [string, boolean])[] = [
    ['notBefore is not that of the leaf', validFromDate.getTime() === begin],
    ['notBefore is 5 minutes or more from now', Math.abs(begin - serverTime.getTime()) < 5 * MINUTE_MS],
    ['notAfter is not that of the leaf', validToDate.getTime() === end],
    ['the lifetime is less than an hour', end - begin >= HOUR_MS],
    ['the lifetime is longer than asked for', end - begin <= maxSeconds * 1000],
    ['beginRefreshAt is too close to notBefore', refresh >= begin + 10 * MINUTE_MS],
    ['beginRefreshAt is too close to notAfter', refresh <= end - 10 * MINUTE_MS],
  ];
  return rules.filter(([, holds]) => !holds).map(([problem]) => problem);
}
