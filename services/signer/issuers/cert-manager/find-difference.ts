// Compares a CertificateRequest that exists with the one that Countersign would create. Anyone who may create
// CertificateRequests can take its name, so nothing is used that differs. Pure.

import { parseGoDuration } from '@countersign/common/duration.ts';
import type { CertificateRequest } from './certificate-request.ts';

type Check = (found: CertificateRequest, wanted: CertificateRequest, username: string) => boolean;

/** What must be equal, with the words for a message. Labels and annotations decide nothing. */
const CHECKS: readonly (readonly [what: string, isSame: Check])[] = [
  // cert-manager's webhook sets it and forbids changes: without it, the creator is unknown.
  ['spec.username', ({ spec }, _, username) => spec.username === username],
  ['metadata.ownerReferences', hasOwner],
  ['spec.request', (found, wanted) => found.spec.request === wanted.spec.request],
  ['spec.issuerRef', hasIssuer],
  ['spec.isCA', (found, wanted) => (found.spec.isCA ?? false) === (wanted.spec.isCA ?? false)],
  ['spec.usages', (found, wanted) => isSameList(found.spec.usages, wanted.spec.usages)],
  ['spec.duration', hasDuration],
];

/** The first field that differs, such as `spec.username`; undefined if Countersign created it. */
export function findDifference(
  found: CertificateRequest,
  wanted: CertificateRequest,
  username: string,
): string | undefined {
  return CHECKS.find(([, isSame]) => !isSame(found, wanted, username))?.[0];
}

function hasOwner({ metadata }: CertificateRequest, wanted: CertificateRequest): boolean {
  const uids = (metadata.ownerReferences ?? []).filter(({ controller }) => controller).map(({ uid }) => uid);
  return uids.length === 1 && uids[0] === wanted.metadata.ownerReferences?.[0]?.uid;
}

function hasIssuer({ spec: { issuerRef } }: CertificateRequest, { spec }: CertificateRequest): boolean {
  const { group, kind, name } = spec.issuerRef;
  return issuerRef.group === group && issuerRef.kind === kind && issuerRef.name === name;
}

function isSameList(found: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return found.length === wanted.length && wanted.every((each, at) => each === found[at]);
}

function hasDuration(found: CertificateRequest, wanted: CertificateRequest): boolean {
  const [has, wants] = [found, wanted].map(({ spec }) => parseGoDuration(spec.duration ?? ''));
  return has?.ok === true && wants?.ok === true && has.value === wants.value;
}
