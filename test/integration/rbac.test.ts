// The permissions of the chart's two ServiceAccounts according to the API server: exactly these, and none of the most
// dangerous ones. No service runs here; other tests show that these suffice.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Api, type Caller } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import { Installation } from '../support/installation.ts';

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

let controlPlane: ControlPlane;
let api: Api;
before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  await new Installation(controlPlane, await freePort(), {}).release();
});
after(async () => {
  await api?.close();
  await controlPlane?.stop();
});

function callerOf(account: string): Caller {
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:countersign'];
  return { user: `system:serviceaccount:countersign:${account}`, groups };
}

/** Formats rules as `get,list certificates.k8s.io/certificatesigningrequests [name]`, one per resource, sorted. */
async function rulesOf(account: string, namespace: string): Promise<string[]> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
  const review = await api.do<{ status: { resourceRules: readonly Rule[]; incomplete: boolean } }>({
    method: 'POST',
    path,
    body,
    as: callerOf(account),
  });
  const words = review.status.resourceRules.flatMap(({ verbs, apiGroups, resources, resourceNames }) =>
    resources.map(resource => {
      const names = resourceNames === undefined ? '' : ` [${resourceNames.toSorted().join(' ')}]`;
      return `${verbs.toSorted().join(',')} ${apiGroups.join(',')}/${resource}${names}`;
    }),
  );
  return words.toSorted();
}

/** Returns the account's permissions beyond those of every authenticated user. */
async function ownRules(account: string, namespace: string): Promise<string[]> {
  const common = new Set(await rulesOf('nobody', namespace));
  return (await rulesOf(account, namespace)).filter(rule => !common.has(rule));
}

const SIGNER_ANYWHERE = [
  'create /events',
  'create authorization.k8s.io/subjectaccessreviews',
  'get /secrets',
  'get coordination.k8s.io/leases [cert-manager-controller]',
  'list,watch cert-manager.io/clusterissuers',
  'list,watch cert-manager.io/issuers',
  'get,list,watch certificates.k8s.io/certificatesigningrequests',
  'patch cert-manager.io/clusterissuers/status',
  'patch cert-manager.io/issuers/status',
  'patch certificates.k8s.io/certificatesigningrequests/status',
  'sign certificates.k8s.io/signers [clusterissuers.cert-manager.io/* issuers.cert-manager.io/*]',
];
const SIGNER_AT_HOME = [
  'create coordination.k8s.io/leases',
  'get,patch /configmaps [countersign-name-constraints]',
  'get,update,watch coordination.k8s.io/leases [countersign-signer]',
];
const WEBHOOK_ANYWHERE = [
  'create authorization.k8s.io/subjectaccessreviews',
  'list,watch cert-manager.io/clusterissuers',
  'list,watch cert-manager.io/issuers',
];
const WEBHOOK_AT_HOME = [
  'get /secrets [countersign-webhook-tls]',
  'list,watch /configmaps [countersign-name-constraints]',
];

type Action = readonly [verb: string, group: string, resource: string, name?: string | undefined];

/** Asks what `kubectl auth can-i` asks, for all namespaces or one. */
async function mayDo(account: string, namespace: string, action: Action): Promise<boolean> {
  const [verb, group, path, name] = action;
  const [resource, subresource] = path.split('/');
  const resourceAttributes = { verb, group, resource, subresource, name, namespace };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = { method: 'POST', path: reviews, body, as: callerOf(account) } as const;
  return (await api.do<{ status: { allowed: boolean } }>(review)).status.allowed;
}

const FORBIDDEN: readonly Action[] = [
  ['list', '', 'secrets'],
  ['watch', '', 'secrets'],
  ['create', '', 'secrets'],
  ['create', '', 'configmaps'],
  ['patch', '', 'configmaps', 'another'],
  ['update', '', 'secrets'],
  ['create', 'certificates.k8s.io', 'certificatesigningrequests'],
  ['update', 'certificates.k8s.io', 'certificatesigningrequests'],
  ['patch', 'certificates.k8s.io', 'certificatesigningrequests'],
  ['delete', 'certificates.k8s.io', 'certificatesigningrequests'],
  ['update', 'certificates.k8s.io', 'certificatesigningrequests/approval'],
  ['patch', 'certificates.k8s.io', 'certificatesigningrequests/approval'],
  ['approve', 'certificates.k8s.io', 'signers', 'issuers.cert-manager.io/*'],
  ['sign', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client'],
  ['sign', 'certificates.k8s.io', 'signers', 'kubernetes.io/*'],
  ['reference', 'cert-manager.io', 'signers', '*'],
  ['update', 'cert-manager.io', 'issuers'],
  ['update', 'coordination.k8s.io', 'leases', 'another'],
  ['impersonate', '', 'users', 'admin'],
  ['create', '', 'serviceaccounts/token'],
  ['create', '', 'pods'],
  ['bind', 'rbac.authorization.k8s.io', 'clusterroles', 'cluster-admin'],
  ['update', 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'],
];

describe('the ServiceAccount', { concurrency: 8 }, () => {
  for (const [account, namespace, rules] of [
    ['countersign-signer', 'default', SIGNER_ANYWHERE],
    ['countersign-signer', 'countersign', [...SIGNER_ANYWHERE, ...SIGNER_AT_HOME]],
    ['countersign-webhook', 'default', WEBHOOK_ANYWHERE],
    ['countersign-webhook', 'countersign', [...WEBHOOK_ANYWHERE, ...WEBHOOK_AT_HOME]],
  ] as const) {
    test(`${account} has exactly these permissions in ${namespace}`, async () => {
      assert.deepEqual(await ownRules(account, namespace), [...rules].toSorted());
    });
  }

  for (const account of ['countersign-signer', 'countersign-webhook']) {
    for (const [verb, group, resource, name] of FORBIDDEN) {
      test(`${account} may not ${verb} ${group}/${resource} ${name ?? ''}`, async () => {
        for (const namespace of ['', 'countersign'])
          assert.equal(await mayDo(account, namespace, [verb, group, resource, name]), false, `in "${namespace}"`);
      });
    }
  }

  test('countersign-signer may sign for issuers, which validates the negative checks', async () => {
    for (const name of ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/*'])
      assert.equal(await mayDo('countersign-signer', '', ['sign', 'certificates.k8s.io', 'signers', name]), true);
  });
});
