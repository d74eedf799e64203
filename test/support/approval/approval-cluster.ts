// A real API server with the chart, the signer, the webhook and the approver, each with its own RBAC, and shortcuts
// for policies.

import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { POLICY_API_VERSION, POLICY_KIND, POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import { type Caller } from '../api.ts';
import { type Cluster, type KubeObject, startCluster } from '../cluster.ts';
import type { InstallOptions } from '../installation.ts';
import { readPki } from '../pki.ts';
import { CSRS, type CsrCondition, type CsrObject, getCsr } from '../requests.ts';
import { completeSpec } from './written-policy.ts';
import { type WrittenRequest, writtenCsr } from './written-request.ts';

export const SIGNER_NAMES = 'issuers.cert-manager.io/*';
export const SIGNER = 'issuers.cert-manager.io/team-a.ca';

export async function startApprovalCluster(options: InstallOptions = {}): Promise<Cluster> {
  const values = { approver: { enabled: true, signerNames: [SIGNER_NAMES] }, ...options.values };
  const cluster = await startCluster({ ...options, values, approverFlags: [`--signer-names=${SIGNER_NAMES}`] });
  await cluster.createNamespace('team-a');
  await cluster.createCaIssuer(
    { namespace: 'team-a', name: 'ca' },
    { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') },
  );
  await cluster.createReferencerRole('team-a', 'reference', '*');
  const groups = ['--group=system:serviceaccounts', '--group=system:masters'];
  await cluster.kubectl(['create', 'rolebinding', 'reference', '-n', 'team-a', '--role=reference', ...groups]);
  const create = ['--verb=create', '--resource=certificatesigningrequests.certificates.k8s.io'];
  await cluster.kubectl(['create', 'clusterrole', 'requester', ...create]);
  await cluster.kubectl(['create', 'clusterrolebinding', 'requester', '--clusterrole=requester', ...groups]);
  return cluster;
}

interface PolicyObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly CsrCondition[] };
}

export function createPolicy(cluster: Cluster, name: string, spec: ApprovalPolicySpec): Promise<PolicyObject> {
  const policy = { apiVersion: POLICY_API_VERSION, kind: POLICY_KIND, metadata: { name }, spec: completeSpec(spec) };
  return cluster.api.create(POLICY_PATH, policy);
}

/** Such as `True Enforce: The policy is in use`. */
export function policyReadiness(cluster: Cluster, name: string): Promise<string> {
  return cluster.eventually(`policy ${name} has a condition`, async () => {
    const { status } = await cluster.api.get<PolicyObject>(`${POLICY_PATH}/${name}`);
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return ready && `${ready.status} ${ready.reason}: ${ready.message}`;
  });
}

export const TEAM: Caller = {
  user: 'system:serviceaccount:team-a:web',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
};

/** Creates the request as a ServiceAccount of team-a. */
export function request(
  cluster: Cluster,
  name: string,
  written: WrittenRequest = {},
  as: Caller = TEAM,
): Promise<CsrObject> {
  const { metadata, spec } = writtenCsr(
    { signerName: SIGNER, requester: {}, usages: ['server auth'], ...written },
    name,
  );
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, annotations: metadata.annotations },
    spec,
  };
  return cluster.api.do({ method: 'POST', path: CSRS, body, as });
}

/** The Approved or Denied condition, as soon as there is one. */
export function whenDecided(cluster: Cluster, name: string): Promise<CsrCondition> {
  return cluster.eventually(`${name} is decided on`, async () => {
    const { status } = await getCsr(cluster, name);
    return status?.conditions?.find(({ type }) => type === 'Approved' || type === 'Denied');
  });
}

interface Events {
  readonly items: readonly {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly source: { readonly component: string };
  }[];
}

/** The events of the approver about one CSR, as `type reason: message`, once there are so many. */
export function approverEvents(cluster: Cluster, { metadata }: KubeObject, count: number): Promise<readonly string[]> {
  return cluster.eventually(`${count} events of the approver about ${metadata.name}`, async () => {
    const { items } = await readEvents(cluster, metadata.uid);
    const own = items.filter(({ source }) => source.component === 'countersign-approver');
    return own.length < count
      ? undefined
      : own.map(({ type, reason, message }) => `${type} ${reason}: ${message}`).toSorted();
  });
}

/** The message of the first event with this reason, of whatever service. */
export function eventMessage(cluster: Cluster, { metadata }: KubeObject, reason: string): Promise<string> {
  return cluster.eventually(`${metadata.name} has an event ${reason}`, async () => {
    const { items } = await readEvents(cluster, metadata.uid);
    return items.find(event => event.reason === reason)?.message;
  });
}

function readEvents(cluster: Cluster, uid: string): Promise<Events> {
  const selector = encodeURIComponent(`involvedObject.uid=${uid}`);
  return cluster.api.get(`/api/v1/namespaces/default/events?fieldSelector=${selector}`);
}
