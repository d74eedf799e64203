// What the signer keeps of each PodCertificateRequest that it sees: all that a decision needs of an open one, in a
// bounded size, and next to nothing of one that is done or that another signer serves. Never judges a request.

import { keepText } from '@countersign/common/bounded-text.ts';
import { keepIdentity, type ObjectMeta } from '@countersign/common/csr.ts';
import { prunePodAnnotations } from '@countersign/common/pods/pod-annotations.ts';
import {
  isOpen,
  type PodCertificateRequest,
  type PodCertificateRequestSpec,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { RequestRecord } from '../request-kind.ts';
import { endedRecently, millisecondsSince } from '../request-times.ts';
import { MAX_STUB_LENGTH } from './stub-request.ts';

/** Of a request that is done, the spec is empty. */
export type PodRecord = PodCertificateRequest & RequestRecord;

export function toPodRecord(raw: unknown, receivedAt: number): PodRecord {
  const request = raw as PodCertificateRequest;
  const state = stateOf(request);
  const metadata = identify(request.metadata);
  if (state === 'done') return { metadata, spec: NO_SPEC, ...endOf(request, receivedAt), state, receivedAt };
  return { metadata, spec: keepSpec(request.spec), state, receivedAt };
}

/** Milliseconds from the creation to `now`. */
export function millisecondsSinceCreation({ metadata, receivedAt }: PodRecord, now: number): number {
  return millisecondsSince(Date.parse(metadata.creationTimestamp ?? ''), receivedAt, now);
}

/** The order matters: the spec of a listed request that is done is not decoded. */
function stateOf(request: PodCertificateRequest): PodRecord['state'] {
  if (!isOpen(request) || request.metadata.deletionTimestamp !== undefined) return 'done';
  const signer = parseSignerName(request.spec.signerName);
  return !signer.ok && signer.error.kind === 'foreign' ? 'done' : 'open';
}

function endOf({ status }: PodCertificateRequest, receivedAt: number): { readonly endedAfter?: number } {
  return endedRecently(Date.parse(status?.conditions?.[0]?.lastTransitionTime ?? ''), receivedAt);
}

const NO_SPEC: PodCertificateRequestSpec = {
  signerName: '',
  podName: '',
  podUID: '',
  serviceAccountName: '',
  serviceAccountUID: '',
  nodeName: '',
  nodeUID: '',
  stubPKCS10Request: '',
};

function identify(metadata: PodCertificateRequest['metadata']): PodCertificateRequest['metadata'] {
  const { creationTimestamp } = metadata;
  return { ...keepIdentity(metadata), ...(creationTimestamp !== undefined && { creationTimestamp }) };
}

function keepSpec(spec: PodCertificateRequestSpec): PodCertificateRequestSpec {
  return {
    ...spec,
    stubPKCS10Request: keepText(spec.stubPKCS10Request, MAX_STUB_LENGTH + 4),
    ...(spec.unverifiedUserAnnotations && {
      unverifiedUserAnnotations: prunePodAnnotations(spec.unverifiedUserAnnotations),
    }),
  };
}

/** The path of one request, by `<namespace>/<name>`. */
export function podRequestPath(key: string): string {
  const [namespace = '', name = ''] = key.split('/');
  const encoded = encodeURIComponent(name);
  return `/apis/certificates.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/podcertificaterequests/${encoded}`;
}

/** The pod that the request is for, as far as an event needs it. */
export function podMetadata({ metadata, spec }: PodRecord): ObjectMeta {
  return {
    name: spec.podName,
    uid: spec.podUID,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  };
}
