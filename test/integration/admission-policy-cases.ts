// Creations and updates of requests on which the admission policy and the webhook must agree.

import { REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';

const API_GROUP = 'rbac.authorization.k8s.io';

interface User {
  readonly user: string;
  readonly groups?: readonly string[];
}

interface Creation {
  readonly name: string;
  readonly as: User;
  readonly signerName: string;
  /** undefined: the request is admitted. */
  readonly reason?: 'DeniedReference' | 'InvalidSignerName';
}

interface Update {
  readonly name: string;
  readonly isApproved: boolean;
  readonly subresource: '' | '/status' | '/approval';
  readonly change: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } };
  readonly reason?: 'ImmutableAnnotation';
}

/** Allows one user to reference a ClusterIssuer or, with `signers`, every Issuer of that name. */
function clusterReferencer(
  name: string,
  issuer: string,
  resource: string,
  group = 'cert-manager.io',
): readonly object[] {
  const rule = { apiGroups: [group], resources: [resource], resourceNames: [issuer], verbs: ['reference'] };
  return [
    { apiVersion: `${API_GROUP}/v1`, kind: 'ClusterRole', metadata: { name }, rules: [rule] },
    {
      apiVersion: `${API_GROUP}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: API_GROUP, kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name, apiGroup: API_GROUP }],
    },
  ];
}

function referencer(
  name: string,
  issuer: string,
  subject: { kind: 'User' | 'Group'; name: string },
  group = 'cert-manager.io',
): readonly object[] {
  const metadata = { name, namespace: 'sandbox' };
  const rule = {
    apiGroups: [group],
    resources: ['signers'],
    resourceNames: [issuer],
    verbs: ['reference'],
  };
  return [
    { apiVersion: `${API_GROUP}/v1`, kind: 'Role', metadata, rules: [rule] },
    {
      apiVersion: `${API_GROUP}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: API_GROUP, kind: 'Role', name },
      subjects: [{ ...subject, apiGroup: API_GROUP }],
    },
  ];
}

const requester = { name: 'requester' };

/** Every user may create requests. */
export const ADMISSION_POLICY_RBAC: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sandbox' } },
  {
    apiVersion: `${API_GROUP}/v1`,
    kind: 'ClusterRole',
    metadata: requester,
    rules: [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create'] }],
  },
  {
    apiVersion: `${API_GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: requester,
    roleRef: { apiGroup: API_GROUP, kind: 'ClusterRole', name: 'requester' },
    subjects: [{ apiGroup: API_GROUP, kind: 'Group', name: 'system:authenticated' }],
  },
  ...referencer('jane', 'mine', { kind: 'User', name: 'jane' }),
  ...referencer('anna', '*', { kind: 'User', name: 'anna' }),
  ...referencer('platform', 'mine', { kind: 'Group', name: 'platform' }),
  ...referencer('dotted', 'my.dotted.issuer', { kind: 'User', name: 'dora' }),
  ...clusterReferencer('carla', 'mine', 'clusterissuers'),
  ...clusterReferencer('clara', '*', 'clusterissuers'),
  ...clusterReferencer('simon', 'mine', 'signers'),
  ...referencer('thea', 'mine', { kind: 'User', name: 'thea' }, 'things.example.com'),
  ...clusterReferencer('thomas', 'mine', 'thingclusterissuers', 'things.example.com'),
  ...referencer('builders', 'mine', { kind: 'Group', name: 'system:serviceaccounts:ci' }),
];

const ISSUERS = 'issuers.cert-manager.io';
const MINE = `${ISSUERS}/sandbox.mine`;
const mallory: User = { user: 'mallory', groups: ['others'] };
const jane: User = { user: 'jane' };
const anna: User = { user: 'anna' };
const builder: User = {
  user: 'system:serviceaccount:ci:builder',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:ci'],
};

const malformed = (name: string, signerName: string): Creation => ({
  name,
  as: anna,
  signerName,
  reason: 'InvalidSignerName',
});

export const CREATIONS: readonly Creation[] = [
  { name: 'by a user who may reference the Issuer by name', as: jane, signerName: MINE },
  { name: 'by a user who may reference every Issuer', as: anna, signerName: MINE },
  { name: 'by a member of a group with permission', as: { user: 'paul', groups: ['platform'] }, signerName: MINE },
  { name: 'by a service account whose group has permission', as: builder, signerName: MINE },
  { name: 'by a user without permission', as: mallory, signerName: MINE, reason: 'DeniedReference' },
  {
    name: 'by a user who may reference another Issuer',
    as: jane,
    signerName: `${ISSUERS}/sandbox.other`,
    reason: 'DeniedReference',
  },
  {
    name: 'for the same name in another namespace',
    as: jane,
    signerName: `${ISSUERS}/default.mine`,
    reason: 'DeniedReference',
  },
  {
    name: 'for another namespace by a user with permission for every Issuer in one',
    as: anna,
    signerName: `${ISSUERS}/default.mine`,
    reason: 'DeniedReference',
  },
  {
    name: 'for an Issuer with dots in its name',
    as: { user: 'dora' },
    signerName: `${ISSUERS}/sandbox.my.dotted.issuer`,
  },
  {
    name: 'for an Issuer whose name starts with the permitted one',
    as: jane,
    signerName: `${ISSUERS}/sandbox.mine.too`,
    reason: 'DeniedReference',
  },
  { name: 'for a ClusterIssuer by any user', as: mallory, signerName: 'clusterissuers.cert-manager.io/mine' },
  {
    name: 'for a ClusterIssuer with dots in its name',
    as: mallory,
    signerName: 'clusterissuers.cert-manager.io/a.b.c',
  },
  { name: "for another project's signer", as: mallory, signerName: 'example.com/sandbox.mine' },
  { name: "for one of Kubernetes' signers", as: mallory, signerName: 'kubernetes.io/kube-apiserver-client' },
  {
    name: 'for a signer of another cert-manager API group',
    as: mallory,
    signerName: 'issuers.acme.cert-manager.io/a.b',
  },
  { name: 'for a signer whose resource has a hyphen', as: mallory, signerName: 'my-issuers.cert-manager.io/a.b' },
  { name: 'for a signer whose domain starts with ours', as: mallory, signerName: `${ISSUERS}.example.com/a.b` },
  malformed('for an Issuer without its namespace', `${ISSUERS}/mine`),
  malformed('for an invalid namespace', `${ISSUERS}/${'n'.repeat(64)}.mine`),
  malformed('for a resource that is not an issuer', 'certificates.cert-manager.io/sandbox.mine'),
];

const annotate = (key: string, value: string) => ({ metadata: { annotations: { [key]: value } } });
const longer = annotate(REQUEST_DURATION, '2h');
const asCa = annotate(REQUEST_IS_CA, 'true');
const other = annotate('example.com/note', 'seen');

const MINE_OF_ALL = 'clusterissuers.cert-manager.io/mine';

/** Cases with permission checks for ClusterIssuers (authorizeClusterIssuers). */
export const CREATIONS_FOR_CLUSTER_ISSUERS: readonly Creation[] = [
  { name: 'by a user who may reference it by name', as: { user: 'carla' }, signerName: MINE_OF_ALL },
  { name: 'by a user who may reference every ClusterIssuer', as: { user: 'clara' }, signerName: MINE_OF_ALL },
  { name: 'by a user without permission', as: mallory, signerName: MINE_OF_ALL, reason: 'DeniedReference' },
  {
    name: 'by a user who may reference Issuers of the same name everywhere',
    as: { user: 'simon' },
    signerName: MINE_OF_ALL,
    reason: 'DeniedReference',
  },
  {
    name: 'for an Issuer by a user who may reference the ClusterIssuer of the same name',
    as: { user: 'carla' },
    signerName: MINE,
    reason: 'DeniedReference',
  },
];

const THINGS = 'thingissuers.things.example.com';
const COMPANY = 'thingclusterissuers.things.example.com/mine';

/** Cases with external types, and with permission checks for cluster-scoped ones. */
export const CREATIONS_FOR_EXTERNAL_ISSUERS: readonly Creation[] = [
  {
    name: 'by a user who may reference it in its own group',
    as: { user: 'thea' },
    signerName: `${THINGS}/sandbox.mine`,
  },
  {
    name: 'by a user who may reference the Issuer of the same name',
    as: jane,
    signerName: `${THINGS}/sandbox.mine`,
    reason: 'DeniedReference',
  },
  {
    name: 'for an Issuer by a user who may reference the external issuer of the same name',
    as: { user: 'thea' },
    signerName: MINE,
    reason: 'DeniedReference',
  },
  { name: 'by a user who may reference it in the cluster', as: { user: 'thomas' }, signerName: COMPANY },
  {
    name: 'by a user who may reference the ClusterIssuer of the same name',
    as: { user: 'carla' },
    signerName: COMPANY,
    reason: 'DeniedReference',
  },
  {
    name: 'without its namespace',
    as: { user: 'thea' },
    signerName: `${THINGS}/mine`,
    reason: 'InvalidSignerName',
  },
  { name: 'of a type that is not listed', as: mallory, signerName: 'otherissuers.things.example.com/sandbox.mine' },
  { name: 'of a signer whose domain starts like a type', as: mallory, signerName: `${THINGS}.org/sandbox.mine` },
];

export const UPDATES: readonly Update[] = [
  {
    name: 'a new duration before approval',
    isApproved: false,
    subresource: '',
    change: longer,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a CA request before approval through /status',
    isApproved: false,
    subresource: '/status',
    change: asCa,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a new duration after approval',
    isApproved: true,
    subresource: '',
    change: longer,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a CA request after approval',
    isApproved: true,
    subresource: '',
    change: asCa,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a CA request after approval through /status',
    isApproved: true,
    subresource: '/status',
    change: asCa,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a CA request after approval through /approval',
    isApproved: true,
    subresource: '/approval',
    change: asCa,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a CA request together with the approval',
    isApproved: false,
    subresource: '/approval',
    change: asCa,
    reason: 'ImmutableAnnotation',
  },
  {
    name: 'a new empty annotation',
    isApproved: true,
    subresource: '',
    change: annotate(REQUEST_IS_CA, ''),
    reason: 'ImmutableAnnotation',
  },
  { name: 'an unlocked annotation after approval', isApproved: true, subresource: '', change: other },
  { name: 'an unlocked annotation through /status', isApproved: true, subresource: '/status', change: other },
  {
    name: 'an unlocked annotation together with the approval',
    isApproved: false,
    subresource: '/approval',
    change: other,
  },
];
