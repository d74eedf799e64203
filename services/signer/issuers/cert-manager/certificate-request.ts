// The CertificateRequest (cert-manager.io/v1) that Countersign creates for a request: what it contains, and its name.
// Pure.

import { hash } from 'node:crypto';
import type { Condition, ObjectMeta } from '@countersign/common/csr.ts';
import { formatGoDuration, MILLISECOND } from '@countersign/common/duration.ts';
import { secretNamespace } from '@countersign/common/issuers/issuer.ts';
import type { RequestedCertificate, SentRequest } from '@countersign/common/requested-certificate.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { ISSUER_GROUP, resourceOf, type SignerRef } from '@countersign/common/signer-name.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface CertificateRequestSpec {
  /** Base64 of the PEM of a PKCS#10 request. */
  readonly request: string;
  readonly issuerRef: { readonly group?: string; readonly kind?: string; readonly name: string };
  readonly usages?: readonly string[];
  /** A Go duration. */
  readonly duration?: string;
  readonly isCA?: boolean;
  /** Who created it: set by cert-manager's webhook. */
  readonly username?: string;
}

export interface CertificateRequest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta & {
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly spec: CertificateRequestSpec;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    /** Base64 of the PEM chain, leaf first. */
    readonly certificate?: string;
    /** Base64 of the PEM of the CA, if the issuer knows it. */
    readonly ca?: string;
  };
}

export const API_VERSION = `${ISSUER_GROUP}/v1`;
export const COLLECTION = `/apis/${API_VERSION}/certificaterequests`;

/** On each CertificateRequest that Countersign creates: only these are watched. */
export const OWN_LABEL = 'countersign.io/delegated';
/** Who requested the certificate, for people; spec.username is Countersign's ServiceAccount. */
const REQUESTER = 'countersign.io/requester';

export function collectionPath(namespace: string): string {
  return `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/certificaterequests`;
}

export interface Asked {
  readonly ref: SignerRef;
  readonly requested: RequestedCertificate & { readonly sent: SentRequest };
}

/** The same for every call with the same arguments, so that a repeated creation finds the first one. */
export function toCertificateRequest(
  { ref, requested }: Asked,
  clusterResourceNamespace: string,
  attempt: number,
): CertificateRequest {
  const { sent, isCa, lifetimeMs, requester } = requested;
  return {
    apiVersion: API_VERSION,
    kind: 'CertificateRequest',
    metadata: {
      name: nameFor(sent.name, requested.uid, attempt),
      namespace: secretNamespace(ref, clusterResourceNamespace),
      // ACME solvers are selected by the labels of the CSR.
      labels: { ...sent.labels, [OWN_LABEL]: 'true' },
      annotations: { [REQUESTER]: shorten(requester) },
      ownerReferences: [ownerOf(requested.uid, sent)],
    },
    spec: {
      request: sent.request,
      issuerRef: { group: resourceOf(ref).group, kind: ref.kind, name: ref.name },
      usages: sent.usages,
      duration: formatGoDuration(BigInt(lifetimeMs) * MILLISECOND),
      isCA: isCa,
    },
  };
}

/** Without blockOwnerDeletion, which needs more permissions on some clusters. */
function ownerOf(uid: string, { name }: SentRequest): OwnerReference {
  return { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', name, uid, controller: true };
}

/** Leaves room for what cert-manager appends to the name for an Order. */
const MAX_PREFIX = 40;

/** The name of a CSR may have any characters; that of a CertificateRequest may not (RFC 1123). */
export function nameFor(name: string, uid: string, attempt: number): string {
  const readable = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const prefix = readable.slice(0, MAX_PREFIX).replace(/^-+|-+$/g, '');
  const digest = hash('sha256', `${uid}/${attempt}`).slice(0, 12);
  return prefix === '' ? digest : `${prefix}-${digest}`;
}

/** `<namespace>/<name>` */
export function placeOf({ metadata }: CertificateRequest): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
