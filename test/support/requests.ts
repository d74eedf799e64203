// CertificateSigningRequests from the point of view of requesters and approvers: create, approve, wait for the outcome.
// Does not parse certificates.

import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import type { ApiAnswer, Caller, Refusal } from './api.ts';
import type { Cluster, KubeObject } from './cluster.ts';
import { readRequest } from './vectors.ts';

export const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export interface CsrCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface CsrObject extends KubeObject {
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly CsrCondition[] };
}

export interface CsrInput {
  readonly name: string;
  readonly signerName: string;
  /** A PKCS#10 request, base64 of PEM. Defaults to one with a P-256 key. */
  readonly request?: string;
  readonly usages?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly expirationSeconds?: number;
}

export const LEAF_USAGES = ['digital signature', 'key encipherment'];

export function csrManifest({ name, annotations, request, usages, ...spec }: CsrInput) {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, ...(annotations && { annotations }) },
    spec: { ...spec, request: request ?? readRequest('p256'), usages: usages ?? LEAF_USAGES },
  };
}

export function createCsr(cluster: Cluster, input: CsrInput): Promise<CsrObject> {
  return cluster.api.create(CSRS, csrManifest(input));
}

/** Returns the response of the API server, including errors. */
export function tryCreateCsr(cluster: Cluster, input: CsrInput, as?: Caller): Promise<ApiAnswer<CsrObject & Refusal>> {
  return cluster.api.call({ method: 'POST', path: CSRS, body: csrManifest(input), ...(as && { as }) });
}

/** The condition that `kubectl certificate approve` sends. */
export function approvalBody(): object {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const approved = { type: 'Approved', status: 'True', reason: 'Tested', message: 'by a test', lastUpdateTime: now };
  return { status: { conditions: [approved] } };
}

export function approve(cluster: Cluster, name: string): Promise<CsrObject> {
  return cluster.api.patch(`${CSRS}/${name}/approval`, approvalBody());
}

export function getCsr(cluster: Cluster, name: string): Promise<CsrObject> {
  return cluster.api.get(`${CSRS}/${name}`);
}

/** The PEM in status.certificate. */
export function chainOf({ status }: CsrObject): string {
  return Buffer.from(status?.certificate ?? '', 'base64').toString();
}

export interface Issued {
  readonly csr: CsrObject;
  /** PEM, leaf first. */
  readonly chain: string;
}

/** Throws immediately if the CSR fails. */
export async function waitUntilIssued(cluster: Cluster, name: string, withinMs?: number): Promise<Issued> {
  const look = async () => {
    const csr = await getCsr(cluster, name);
    const failed = failureOf(csr);
    if (failed !== undefined) throw new Error(`${name} failed: ${failed.reason}: ${failed.message}`);
    return csr.status?.certificate === undefined ? undefined : { csr, chain: chainOf(csr) };
  };
  return cluster.eventually(`${name} has its certificate`, look, withinMs);
}

export async function waitUntilFailed(cluster: Cluster, name: string): Promise<CsrObject> {
  const look = async () => {
    const csr = await getCsr(cluster, name);
    return failureOf(csr) === undefined ? undefined : csr;
  };
  return cluster.eventually(`${name} is Failed`, look);
}

/** Merge-patches annotations of the object or through a subresource (`/status`); null removes one. */
export function annotate(
  cluster: Cluster,
  path: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<ApiAnswer<CsrObject & Refusal>> {
  return cluster.api.call({ method: 'PATCH', path: `${CSRS}/${path}`, body: { metadata: { annotations } } });
}

export function failureOf({ status }: CsrObject): CsrCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Failed');
}

/** Approves a CSR that names a Secret only after the signer has warned of its key, so that all its events are known. */
export async function createThenApprove(cluster: Cluster, input: CsrInput): Promise<CsrObject> {
  const csr = await createCsr(cluster, input);
  if (input.annotations?.[PRIVATE_KEY_SECRET_NAME] !== undefined) await cluster.eventsOf(csr, 1);
  return approve(cluster, input.name);
}

/** Creates and approves a CSR as the administrator, and waits for its certificate. */
export async function issue(cluster: Cluster, input: CsrInput): Promise<Issued> {
  await createCsr(cluster, input);
  await approve(cluster, input.name);
  return waitUntilIssued(cluster, input.name);
}
