// Builds PodCertificateRequests as the API server holds them: what a kubelet sends, with a real stub request, and what
// the server adds.

import type { KeyLike } from 'node:crypto';
import type {
  PodCertificateRequest,
  PodCertificateRequestStatus,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { sequence } from '@countersign/common/x509/der.ts';
import { requestInfo, signerOf, signRequest } from './pkcs10-builder.ts';
import { readPki } from './pki.ts';

export interface PodRequestOrder {
  readonly uid?: string;
  readonly signerName?: string;
  readonly podName?: string;
  readonly namespace?: string;
  readonly serviceAccountName?: string;
  readonly maxExpirationSeconds?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Base64 of the DER. */
  readonly stub?: string;
  readonly status?: PodCertificateRequestStatus;
}

export const POD_UID = '0b6e4f3e-5a71-4c0e-8a86-0e1f0c3f2a11';

/** A request for the pod team/web-0, which runs as the ServiceAccount web, to the Issuer sandbox/my-ca. */
export function buildPodRequest(order: PodRequestOrder = {}): PodCertificateRequest {
  const { uid = 'uid-of-req', namespace = 'team', annotations, stub = buildStub(), status = {}, ...spec } = order;
  return {
    metadata: { name: 'req-abcde', namespace, uid, resourceVersion: '7', creationTimestamp: '2026-11-24T11:59:59Z' },
    spec: {
      signerName: 'issuers.cert-manager.io/sandbox.my-ca',
      podName: 'web-0',
      podUID: POD_UID,
      serviceAccountName: 'web',
      serviceAccountUID: 'uid-of-web',
      nodeName: 'n1',
      nodeUID: 'uid-of-n1',
      maxExpirationSeconds: 86_400,
      ...(annotations && { unverifiedUserAnnotations: annotations }),
      stubPKCS10Request: stub,
      ...spec,
    },
    status,
  };
}

/** Base64 of a request that has nothing but a key, unless a subject or attributes are given. */
export function buildStub(
  key: KeyLike = readPki('keys/p256'),
  subject = sequence(),
  attributes: readonly Buffer[] = [],
): string {
  return signRequest(requestInfo(key, subject, attributes), signerOf(key)).toString('base64');
}
