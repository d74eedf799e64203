// Pods that want a certificate, and the kubelet of their node as far as the API server sees it: both are objects and
// requests here, and nothing runs. The admission plugin NodeRestriction checks what the kubelet says.

import { X509Certificate } from 'node:crypto';
import type { ApiAnswer, Caller, Refusal } from './api.ts';
import type { Cluster, KubeObject } from './cluster.ts';
import { buildStub } from './pod-request-builder.ts';

export const NODE_NAME = 'node-1';
export const KUBELET: Caller = { user: `system:node:${NODE_NAME}`, groups: ['system:nodes', 'system:authenticated'] };

export interface PodInput {
  readonly namespace: string;
  readonly name: string;
  readonly signerNames: readonly string[];
  readonly serviceAccountName?: string;
}

export interface PodRequestInput {
  readonly signerName: string;
  readonly maxExpirationSeconds?: number;
  readonly unverifiedUserAnnotations?: Readonly<Record<string, string>>;
  /** Base64; with a P-256 key and nothing else, if not given. */
  readonly stub?: string;
}

export interface PodRequestObject extends KubeObject {
  readonly spec: { readonly maxExpirationSeconds: number };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
    readonly certificateChain?: string;
    readonly notBefore?: string;
    readonly beginRefreshAt?: string;
    readonly notAfter?: string;
  };
}

/** The node on which all pods are. */
export function createNode(cluster: Cluster): Promise<KubeObject> {
  return cluster.api.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME } });
}

export function podManifest({ namespace, name, signerNames, serviceAccountName = 'default' }: PodInput) {
  const sources = signerNames.map((signerName, index) => ({
    podCertificate: { signerName, keyType: 'ECDSAP256', credentialBundlePath: `bundle-${index}.pem` },
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: {
      nodeName: NODE_NAME,
      serviceAccountName,
      containers: [{ name: 'app', image: 'app', volumeMounts: [{ name: 'certificate', mountPath: '/certificate' }] }],
      volumes: [{ name: 'certificate', projected: { sources } }],
    },
  };
}

/** With its ServiceAccount, if that is not there; `default` is not made for tests without a controller manager. */
export async function createPod(cluster: Cluster, input: PodInput): Promise<KubeObject> {
  const { namespace, serviceAccountName: name = 'default' } = input;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  await cluster.api.call({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body: account });
  return cluster.api.create(`/api/v1/namespaces/${namespace}/pods`, podManifest(input));
}

export function podRequestsPath(namespace: string): string {
  return `/apis/certificates.k8s.io/v1/namespaces/${namespace}/podcertificaterequests`;
}

/** What its kubelet sends for a pod, and what the API server answers. */
export async function tryRequest(
  cluster: Cluster,
  pod: PodInput,
  { stub, ...asked }: PodRequestInput,
  as: Caller = KUBELET,
): Promise<ApiAnswer<PodRequestObject & Refusal>> {
  const { namespace, name, serviceAccountName = 'default' } = pod;
  const read = (path: string) => cluster.api.get<KubeObject>(path);
  const [object, account, node] = await Promise.all([
    read(`/api/v1/namespaces/${namespace}/pods/${name}`),
    read(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}`),
    read(`/api/v1/nodes/${NODE_NAME}`),
  ]);
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'PodCertificateRequest',
    metadata: { generateName: 'req-', namespace },
    spec: {
      ...asked,
      podName: name,
      podUID: object.metadata.uid,
      serviceAccountName,
      serviceAccountUID: account.metadata.uid,
      nodeName: NODE_NAME,
      nodeUID: node.metadata.uid,
      stubPKCS10Request: stub ?? buildStub(),
    },
  };
  return cluster.api.call({ method: 'POST', path: podRequestsPath(namespace), body, as });
}

/** Throws what the API server says if it refuses. */
export async function request(cluster: Cluster, pod: PodInput, asked: PodRequestInput): Promise<PodRequestObject> {
  const { status, body } = await tryRequest(cluster, pod, asked);
  if (status >= 300) throw new Error(`PodCertificateRequest: ${status} ${body.message}`);
  return body;
}

/** The request as it is once it is issued, denied or failed. */
export function whenEnded(
  cluster: Cluster,
  namespace: string,
  { metadata }: KubeObject,
  withinMs = 10_000,
): Promise<PodRequestObject> {
  const look = async () => {
    const found = await cluster.api.get<PodRequestObject>(`${podRequestsPath(namespace)}/${metadata.name}`);
    return found.status?.conditions?.length ? found : undefined;
  };
  return cluster.eventually(`${namespace}/${metadata.name} is issued or denied`, look, withinMs);
}

export function leafOf({ status }: PodRequestObject): X509Certificate {
  return new X509Certificate(status?.certificateChain ?? '');
}
