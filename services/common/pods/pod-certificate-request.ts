// The PodCertificateRequest (certificates.k8s.io/v1, Kubernetes 1.37) as the signer reads it, and the questions it asks
// of its status. Plain JSON, as the API server sends it; nothing here changes an object. Pure.

import type { Condition, ObjectMeta, Requester } from '../csr.ts';

/**
 * Immutable. With the admission plugin NodeRestriction, the API server has compared the names and UIDs with the pod,
 * but neither the annotations nor the lifetime.
 */
export interface PodCertificateRequestSpec {
  readonly signerName: string;
  readonly podName: string;
  readonly podUID: string;
  readonly serviceAccountName: string;
  readonly serviceAccountUID: string;
  readonly nodeName: string;
  readonly nodeUID: string;
  /** The API server sets 86400 where the kubelet does not. */
  readonly maxExpirationSeconds?: number;
  /** userAnnotations of the pod's podCertificate source. */
  readonly unverifiedUserAnnotations?: Readonly<Record<string, string>>;
  /** Base64 of the DER of a PKCS#10 request; its key is that of the certificate. */
  readonly stubPKCS10Request: string;
}

export interface PodCertificateRequestStatus {
  /** At most one, of the type Issued, Denied or Failed. */
  readonly conditions?: readonly Condition[];
  /** PEM, leaf first. */
  readonly certificateChain?: string;
  readonly notBefore?: string;
  readonly beginRefreshAt?: string;
  readonly notAfter?: string;
}

export interface PodCertificateRequest {
  readonly metadata: ObjectMeta & { readonly creationTimestamp?: string };
  readonly spec: PodCertificateRequestSpec;
  readonly status?: PodCertificateRequestStatus;
}

type WithStatus = Pick<PodCertificateRequest, 'status'>;

export type PodConditionType = 'Issued' | 'Denied' | 'Failed';

/** The API server allows only status "True" for these three types, so the type alone decides. */
export function findPodCondition({ status }: WithStatus, type: PodConditionType): Condition | undefined {
  return status?.conditions?.find(condition => condition.type === type);
}

export function isIssued(request: WithStatus): boolean {
  return findPodCondition(request, 'Issued') !== undefined;
}

export function isDenied(request: WithStatus): boolean {
  return findPodCondition(request, 'Denied') !== undefined;
}

export function isFailed(request: WithStatus): boolean {
  return findPodCondition(request, 'Failed') !== undefined;
}

/** Whether its status can still be written: with one of the three conditions it is immutable. */
export function isOpen(request: WithStatus): boolean {
  return !isIssued(request) && !isDenied(request) && !isFailed(request);
}

/**
 * The ServiceAccount of the pod, with exactly the groups that the function `authorizer.serviceAccount` of CEL
 * gives it: the admission policy must not deny what the signer would sign, nor the other way round. Hence no UID
 * and no system:authenticated.
 */
export function podRequester({ metadata, spec }: Pick<PodCertificateRequest, 'metadata' | 'spec'>): Requester {
  const { namespace = '' } = metadata;
  return {
    username: `system:serviceaccount:${namespace}:${spec.serviceAccountName}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}
