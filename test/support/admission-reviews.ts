// Builds AdmissionReviews as the API server sends them, with their CSRs and issuers.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { buildCsr, type CsrOrder } from './csr-builder.ts';
import type { CsrManifest } from './vectors.ts';

export const JANE = { username: 'jane', uid: 'u1', groups: ['dev', 'system:authenticated'], extra: { scope: ['a'] } };

export const READY = { conditions: [{ type: 'Ready', status: 'True', reason: 'KeyPairVerified' }] };
export const CA: Issuer = {
  metadata: { name: 'ca', namespace: 'sandbox' },
  spec: { ca: { secretName: 'ca-pair' } },
  status: READY,
};
export const SELF_SIGNED: Issuer = { metadata: { name: 'self' }, spec: { selfSigned: {} }, status: READY };

/** By `namespace/name`, or `/name` for a ClusterIssuer. */
export const ISSUERS: Readonly<Record<string, Issuer>> = {
  'sandbox/ca': CA,
  '/ca': CA,
  'sandbox/self': SELF_SIGNED,
  '/self': SELF_SIGNED,
};
export const CLUSTER = 'clusterissuers.cert-manager.io/ca';
export const SELF = 'issuers.cert-manager.io/sandbox.self';
export const CLUSTER_SELF = 'clusterissuers.cert-manager.io/self';

/** A pending CSR for the Issuer sandbox/ca. The requester in its spec differs from the one in the review. */
export function csr(order: CsrOrder = {}): CsrManifest {
  const signerName = 'issuers.cert-manager.io/sandbox.ca';
  const { spec, ...rest } = buildCsr({ name: 'my-request', signerName, conditions: [], ...order });
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    ...rest,
    spec: { ...spec, username: 'set by the API server' },
  };
}

/** A review of jane's CREATE of `csr()`; `parts` overrides fields of the request. */
export function review(parts: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'uid-1',
      kind: { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
      resource: { group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests' },
      name: 'my-request',
      operation: 'CREATE',
      userInfo: JANE,
      object: csr(),
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...parts,
    },
  };
}

/** An AdmissionReview with the value at `path` replaced. */
export function reviewWith(path: string, value: unknown, base = review()): unknown {
  const [name = '', ...rest] = path.split('.');
  const child = (base[name] ?? {}) as Record<string, unknown>;
  return { ...base, [name]: rest.length === 0 ? value : reviewWith(rest.join('.'), value, child) };
}

/** The review of a test case: a CSR that is created or updated, and overrides of the request's fields. */
export interface Question {
  readonly create?: CsrOrder;
  readonly update?: { readonly before: CsrOrder; readonly after: CsrOrder; readonly subResource?: string };
  readonly request?: Record<string, unknown>;
}

export function reviewOf({ create, update, request }: Question): Record<string, unknown> {
  if (update === undefined) return review({ object: csr(create), ...request });
  const { before, after, subResource } = update;
  const objects = { object: csr(after), oldObject: csr(before) };
  return review({ operation: 'UPDATE', ...objects, ...(subResource && { subResource }), ...request });
}
