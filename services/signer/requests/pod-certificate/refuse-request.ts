// Which PodCertificateRequests are denied, and which wait for the owner of the issuer. A denial is final for the pod,
// so it follows from the immutable spec alone; anything that an administrator can fix waits. Pure.

import { toKubeletText } from '@countersign/common/pods/kubelet-text.ts';
import { expandPatterns, isNameAllowed } from '@countersign/common/pods/name-patterns.ts';
import { podIdentityOf, readPodNames } from '@countersign/common/pods/pod-annotations.ts';
import type { PodCertificateRequest } from '@countersign/common/pods/pod-certificate-request.ts';
import { type PodReason, podReasons } from '@countersign/common/pods/pod-reasons.ts';
import type { PodTerms } from '@countersign/common/pods/pod-terms.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { Result } from '@countersign/common/result.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import type { Pkcs10 } from '@countersign/common/x509/pkcs10.ts';
import type { StubProblem } from './stub-request.ts';

export interface PodRefusal {
  readonly kind: 'deny' | 'wait';
  readonly reason: PodReason | 'InvalidSignerName';
  readonly message: string;
}

/** The signer names that Countersign may `sign` for, and so deny. Others below cert-manager.io belong to nobody yet. */
const DENIABLE = /^(?:cluster)?issuers\.cert-manager\.io\//;

/** The first that applies, in this order: signer name, annotations, stub. `stub` is its parsed stubPKCS10Request. */
export function refusePodRequest(
  request: Pick<PodCertificateRequest, 'metadata' | 'spec'>,
  stub: Result<Pkcs10, StubProblem>,
): PodRefusal | undefined {
  return refuseSignerName(request) ?? refuseAnnotations(request) ?? refuseStub(stub);
}

/** Undefined for another signer's name. */
function refuseSignerName({ spec: { signerName } }: Pick<PodCertificateRequest, 'spec'>): PodRefusal | undefined {
  const signer = parseSignerName(signerName);
  if (signer.ok || signer.error.kind === 'foreign') return undefined;
  const message = reasons.InvalidSignerName.message(signerName, signer.error.detail);
  const kind = DENIABLE.test(signerName) ? 'deny' : 'wait';
  return { kind, reason: 'InvalidSignerName', message: toKubeletText(message) };
}

function refuseAnnotations(request: Pick<PodCertificateRequest, 'metadata' | 'spec'>): PodRefusal | undefined {
  const names = readPodNames(request);
  if (names.ok) return undefined;
  const reason = 'InvalidUnverifiedUserAnnotations';
  return { kind: 'deny', reason, message: podReasons[reason].message(names.error) };
}

function refuseStub(stub: Result<Pkcs10, StubProblem>): PodRefusal | undefined {
  if (stub.ok) return undefined;
  const { error } = stub;
  if (error.reason === 'UnsupportedKeyType') {
    return { kind: 'deny', reason: error.reason, message: podReasons.UnsupportedKeyType.message() };
  }
  // kubelet makes the stub: one that is newer than this signer must not cost running pods their renewals.
  return { kind: 'wait', reason: error.reason, message: podReasons.InvalidStubRequest.message(error.problem) };
}

/** For a request that is not denied: it waits if the owner of the issuer does not allow all of its names. */
export function refusePodNames(
  request: Pick<PodCertificateRequest, 'metadata' | 'spec'>,
  { allowedDnsNames }: Pick<PodTerms, 'allowedDnsNames'>,
  ref: SignerRef,
): PodRefusal | undefined {
  const names = readPodNames(request);
  const patterns = expandPatterns(allowedDnsNames, podIdentityOf(request));
  const refused = names.ok ? names.value.dnsNames.filter(name => !isNameAllowed(name, patterns)) : [];
  if (refused.length === 0) return undefined;
  const allowed = patterns.map(({ text }) => text);
  return {
    kind: 'wait',
    reason: 'NameNotAllowed',
    message: podReasons.NameNotAllowed.message(ref, refused, allowed),
  };
}
