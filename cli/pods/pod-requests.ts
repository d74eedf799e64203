// Reads PodCertificateRequests and their events, and finds those that a user means. Never writes.

import type { PodCertificateRequest } from '@countersign/common/pods/pod-certificate-request.ts';
import { CliError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type CsrEvent, timeOf } from '../cluster/csr.ts';
import { type Known, unlessForbidden } from '../cluster/known.ts';
import { listAll } from '../cluster/pages.ts';
import { safeText } from '../terminal/safe-text.ts';

/** `pod/NAME`, or the request itself. */
export interface PodTarget {
  readonly kind: 'pod' | 'request';
  readonly name: string;
}

const REQUEST_PREFIXES = new Set(['podcertificaterequest', 'podcertificaterequests', 'pcr']);

/** Undefined for the name of a CSR, which has no slash. */
export function parsePodTarget(text: string): PodTarget | undefined {
  const [prefix = '', name = '', ...others] = text.split('/');
  if (name === '' || others.length > 0) return undefined;
  if (prefix === 'pod' || prefix === 'pods') return { kind: 'pod', name };
  return REQUEST_PREFIXES.has(prefix) ? { kind: 'request', name } : undefined;
}

/** Of one namespace, or of all. */
export async function listPodRequests(
  api: Api,
  namespace: string | undefined,
  fieldSelector = '',
): Promise<readonly PodCertificateRequest[]> {
  const scope = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  try {
    return await listAll(api, `/apis/certificates.k8s.io/v1/${scope}podcertificaterequests`, fieldSelector);
  } catch (error) {
    if (!(error instanceof ApiError && error.isMissing)) throw error;
    const fix = 'Kubernetes has them from 1.37 on, with the API certificates.k8s.io/v1.';
    throw new CliError('the API server has no PodCertificateRequests', fix, { cause: error });
  }
}

/** The newest request for each signer name, as kubelet deletes none of them. Never empty. */
export async function readPodRequests(api: Api, { kind, name }: PodTarget): Promise<readonly PodCertificateRequest[]> {
  const selector = kind === 'request' ? `metadata.name=${name}` : '';
  const all = await listPodRequests(api, api.namespace, selector);
  const own = kind === 'request' ? all : all.filter(({ spec }) => spec.podName === name);
  const newest = [...Map.groupBy(own, ({ spec }) => spec.signerName).values()].flatMap(group =>
    group.toSorted((a, b) => createdAt(b) - createdAt(a)).slice(0, 1),
  );
  if (newest.length > 0) return newest;
  const what =
    kind === 'pod'
      ? `pod "${safeText(name)}" has no PodCertificateRequest`
      : `PodCertificateRequest "${safeText(name)}" does not exist`;
  throw new CliError(
    `${what} in namespace ${safeText(api.namespace)}`,
    'kubectl get podcertificaterequests -A lists all. kubelet creates one when it starts a pod with a podCertificate volume; Kubernetes deletes it after 15 minutes.',
  );
}

export function createdAt({ metadata }: PodCertificateRequest): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

/** Oldest first, of all requests in the namespace. */
export async function listPodEvents(api: Api, namespace: string | undefined): Promise<Known<readonly CsrEvent[]>> {
  const scope = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  const events = await unlessForbidden(
    listAll<CsrEvent>(api, `/api/v1/${scope}events`, 'involvedObject.kind=PodCertificateRequest'),
    `list events${namespace === undefined ? '' : ` in the namespace ${namespace}`}`,
  );
  return events.known ? { known: true, value: events.value.toSorted((a, b) => timeOf(a) - timeOf(b)) } : events;
}
