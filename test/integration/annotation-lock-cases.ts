// All ways to change the locked annotations of a CSR: every verb, through the object and its subresources, by every
// actor, with the expected outcome of each.

import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import type { ApiCall, Caller } from '../support/api.ts';
import { CSRS, type CsrObject } from '../support/requests.ts';

export type Subresource = '' | '/status' | '/approval';

/** conflict: the API server itself rejects it (409). unchanged: it succeeds and changes no locked annotation. */
export type Outcome = 'refused' | 'conflict' | 'unchanged';

export interface Way {
  readonly name: string;
  /** The change to the current CSR. */
  readonly call: (csr: CsrObject, path: string) => Pick<ApiCall, 'method' | 'path' | 'body' | 'contentType'>;
  readonly outcome: Outcome;
}

type Annotations = Readonly<Record<string, string | null>>;

interface Edit {
  readonly name: string;
  readonly annotations: Annotations;
  readonly kind: 'adds' | 'changes' | 'removes' | 'harmless';
}

/** The annotations of every CSR at creation. */
export const INITIAL_ANNOTATIONS = { [REQUEST_DURATION]: '1h', other: 'true' };

export const ACTORS: readonly { readonly subresource: Subresource; readonly as: Caller | undefined }[] = [
  { subresource: '', as: { user: 'requester' } },
  { subresource: '/approval', as: { user: 'approver' } },
  { subresource: '/status', as: { user: 'status-writer' } },
  ...(['', '/approval', '/status'] as const).map(subresource => ({ subresource, as: undefined })),
];

const EDITS: readonly Edit[] = [
  { name: 'makes it a CA', annotations: { [REQUEST_IS_CA]: 'true' }, kind: 'adds' },
  { name: 'adds an empty Secret name', annotations: { [PRIVATE_KEY_SECRET_NAME]: '' }, kind: 'adds' },
  { name: 'changes the duration', annotations: { [REQUEST_DURATION]: '2h' }, kind: 'changes' },
  { name: 'empties the duration', annotations: { [REQUEST_DURATION]: '' }, kind: 'changes' },
  { name: 'removes the duration', annotations: { [REQUEST_DURATION]: null }, kind: 'removes' },
  {
    name: 'adds the request-is-ca key in upper case',
    annotations: { [REQUEST_IS_CA.toUpperCase()]: 'true' },
    kind: 'harmless',
  },
];

function without(annotations: Annotations): Record<string, string> {
  const present = Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(present);
}

function put(csr: CsrObject, path: string, annotations: Annotations, spec: object = {}) {
  const metadata = { ...csr.metadata, annotations: without({ ...csr.metadata.annotations, ...annotations }) };
  const body = { ...csr, metadata, spec: { ...(csr as CsrObject & { spec: object }).spec, ...spec } };
  return { method: 'PUT', path, body } as const;
}

function jsonPatch(path: string, body: readonly object[]) {
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' } as const;
}

function patch(path: string, kind: 'merge' | 'strategic-merge', annotations: object | null) {
  const contentType = `application/${kind}-patch+json`;
  return { method: 'PATCH', path, body: { metadata: { annotations } }, contentType } as const;
}

function apply(csr: CsrObject, path: string, annotations: Annotations, force: boolean) {
  const metadata = { name: csr.metadata.name, annotations: without(annotations) };
  const body = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata };
  const query = `?fieldManager=tester&force=${force}`;
  return { method: 'PATCH', path: path + query, body, contentType: 'application/apply-patch+yaml' } as const;
}

const pointer = (key: string) => `/metadata/annotations/${key.replaceAll('/', '~1')}`;

function jsonOperation([key, value]: readonly [string, string | null]): object {
  return value === null ? { op: 'remove', path: pointer(key) } : { op: 'add', path: pointer(key), value };
}

const VERBS: Readonly<Record<string, (csr: CsrObject, path: string, edit: Annotations) => ReturnType<Way['call']>>> = {
  PUT: put,
  'JSON patch': (_csr, path, edit) => jsonPatch(path, Object.entries(edit).map(jsonOperation)),
  'merge patch': (_csr, path, edit) => patch(path, 'merge', edit),
  'strategic merge patch': (_csr, path, edit) => patch(path, 'strategic-merge', edit),
  'server-side apply': (csr, path, edit) => apply(csr, path, edit, false),
  'server-side apply with force': (csr, path, edit) => apply(csr, path, edit, true),
};

/** Server-side apply owns none of the requester's annotations: it removes none, and changes none without force. */
function outcomeOf(verb: string, { kind }: Edit): Outcome {
  if (kind === 'harmless') return 'unchanged';
  const isApply = verb.startsWith('server-side apply');
  if (isApply && kind === 'removes') return 'unchanged';
  return verb === 'server-side apply' && kind === 'changes' ? 'conflict' : 'refused';
}

const PLAIN_WAYS = Object.entries(VERBS).flatMap(([verb, change]) =>
  EDITS.map(edit => ({
    name: `${verb} ${edit.name}`,
    call: (csr: CsrObject, path: string) => change(csr, path, edit.annotations),
    outcome: outcomeOf(verb, edit),
  })),
);

const isCa = pointer(REQUEST_IS_CA);

const ODD_WAYS: readonly Omit<Way, 'outcome'>[] = [
  { name: 'merge patch removes all annotations', call: (_csr, path) => patch(path, 'merge', null) },
  {
    name: 'strategic merge patch replaces all annotations',
    call: (_csr, path) => patch(path, 'strategic-merge', { $patch: 'replace', [REQUEST_IS_CA]: 'true' }),
  },
  {
    name: 'JSON patch removes all annotations',
    call: (_csr, path) => jsonPatch(path, [{ op: 'remove', path: '/metadata/annotations' }]),
  },
  {
    name: 'JSON patch replaces all annotations',
    call: (_csr, path) => jsonPatch(path, [{ op: 'replace', path: '/metadata/annotations', value: {} }]),
  },
  {
    name: 'JSON patch moves another annotation',
    call: (_csr, path) => jsonPatch(path, [{ op: 'move', from: pointer('other'), path: isCa }]),
  },
  {
    name: 'JSON patch copies another annotation',
    call: (_csr, path) => jsonPatch(path, [{ op: 'copy', from: pointer('other'), path: isCa }]),
  },
  {
    name: 'PUT also changes the signer name',
    call: (csr, path) => put(csr, path, { [REQUEST_IS_CA]: 'true' }, { signerName: 'example.com/signer' }),
  },
];

export const WAYS: readonly Way[] = [...PLAIN_WAYS, ...ODD_WAYS.map(way => ({ ...way, outcome: 'refused' as const }))];

const RIGHTS: readonly (readonly [user: string, resource: string, signerVerb: string])[] = [
  ['requester', '', 'none'],
  ['approver', '/approval', 'approve'],
  ['status-writer', '/status', 'sign'],
];

/** The permissions of each actor, and no others. */
export const LOCK_RBAC: readonly object[] = RIGHTS.flatMap(([name, subresource, verb]) => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: [`certificatesigningrequests${subresource}`],
        verbs: ['create', 'update', 'patch'],
      },
      { apiGroups: ['certificates.k8s.io'], resources: ['signers'], verbs: [verb] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
  },
]);

export function pathOf(name: string): string {
  return `${CSRS}/${name}`;
}
