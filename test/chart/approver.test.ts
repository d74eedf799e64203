// The approver in the chart: nothing unless it is enabled, and permissions for the named signers only.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findMistakes, OPTIONS } from '@countersign/approver/options.ts';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES, NAMESPACE, runTemplate } from './helm.ts';

const render = createRenderer();
const SIGNERS = ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/company'];
const VALUES = { ...LEAST_VALUES, approver: { enabled: true, signerNames: SIGNERS } };
const POLICY_GROUP = 'approval.countersign.io';
const isOfApprover = ({ metadata }: KubeObject) => /approver|approvalpolicies/.test(metadata.name);

interface Role extends KubeObject {
  readonly rules: readonly Readonly<Record<string, readonly string[]>>[];
}

interface Deployment extends KubeObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } } };
}

test('the approver is not installed by default', async () => {
  assert.deepEqual((await render(LEAST_VALUES)).filter(isOfApprover), []);
});

test('approver.enabled renders these objects', async () => {
  const objects = (await render(VALUES)).filter(isOfApprover);
  assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted(), [
    'ClusterRole countersign-approver',
    'ClusterRoleBinding countersign-approver',
    'CustomResourceDefinition approvalpolicies.approval.countersign.io',
    'Deployment countersign-approver',
    'PodDisruptionBudget countersign-approver',
    'Role countersign-approver-lease',
    'RoleBinding countersign-approver-lease',
    'Service countersign-approver',
    'ServiceAccount countersign-approver',
  ]);
});

test('the approver may approve for the named signers, and has these permissions only', async () => {
  const objects = await render(VALUES);
  const csrs = { apiGroups: ['certificates.k8s.io'] };
  const policies = { apiGroups: ['approval.countersign.io'] };
  assert.deepEqual((findObject(objects, 'ClusterRole', 'countersign-approver') as Role).rules, [
    { ...csrs, resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
    { ...csrs, resources: ['certificatesigningrequests/approval'], verbs: ['patch'] },
    { ...csrs, resources: ['signers'], resourceNames: SIGNERS, verbs: ['approve'] },
    { ...policies, resources: ['approvalpolicies'], verbs: ['list', 'watch'] },
    { ...policies, resources: ['approvalpolicies/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  ]);
  const lease = findObject(objects, 'Role', 'countersign-approver-lease') as Role;
  assert.equal(lease.metadata.namespace, NAMESPACE);
  assert.deepEqual(
    lease.rules.map(({ resources, resourceNames, verbs }) => [resources, resourceNames, verbs]),
    [
      [['leases'], undefined, ['create']],
      [['leases'], ['countersign-approver'], ['get', 'update', 'watch']],
    ],
  );
});

test('the approver accepts its arguments, and gets policy.maxDuration', async () => {
  const objects = await render({ ...VALUES, policy: { maxDuration: '720h' } });
  const { args } = (findObject(objects, 'Deployment', 'countersign-approver') as Deployment).spec.template.spec
    .containers[0]!;
  const config = parseConfig(OPTIONS, args, {});
  assert.ok(config.ok, JSON.stringify(config));
  assert.deepEqual(findMistakes(config.value), []);
  assert.equal(config.value.signerNames, SIGNERS.join(','));
  assert.equal(config.value.maxDuration, 720 * 3_600_000);
});

describe('the chart rejects an approver', () => {
  const failure = async (approver: object) => (await runTemplate({ ...LEAST_VALUES, approver })).stderr;

  test('without signers, because RBAC would take that for all signers', async () =>
    assert.match(await failure({ enabled: true }), /approver\.signerNames is empty: name the signers/));

  for (const name of ['kubernetes.io/*', 'kubernetes.io/kube-apiserver-client', '*', 'issuers.cert-manager.io/team']) {
    test(`for ${name}`, async () =>
      assert.match(await failure({ enabled: true, signerNames: [name] }), /\/approver\/signerNames\/0/));
  }

  test('whose Lease lasts too long', async () =>
    assert.match(
      await failure({ enabled: true, signerNames: SIGNERS, leaseDuration: '10m' }),
      /approver\.leaseDuration: 10m is out of range/,
    ));
});

test('crds.enabled=false renders no CRD of policies, and crds.keep=false does not keep it', async () => {
  const crdOf = async (crds: object) =>
    (await render({ ...VALUES, crds })).find(({ metadata }) => metadata.name.startsWith('approvalpolicies'));
  assert.equal(await crdOf({ enabled: false }), undefined);
  assert.equal((await crdOf({}))?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
  assert.equal((await crdOf({ keep: false }))?.metadata.annotations, undefined);
});

const READ_POLICIES = {
  apiGroups: [POLICY_GROUP],
  resources: ['approvalpolicies'],
  verbs: ['list', 'watch'],
};

describe('approval policies without the approver', () => {
  const cases = [
    ['signer', { policy: { requireApprovalPolicy: true } }, '--require-approval-policy=true'],
    ['webhook', { webhook: { approvalPolicies: 'warn' } }, '--approval-policies=warn'],
    ['webhook', { webhook: { approvalPolicies: 'deny' } }, '--approval-policies=deny'],
  ] as const;
  for (const [service, values, flag] of cases) {
    test(`${flag} lets only the ${service} read policies, and installs their CRD`, async () => {
      const objects = await render({ ...LEAST_VALUES, ...values });
      const readers = objects.filter(({ kind }) => kind === 'ClusterRole') as Role[];
      const granted = readers.filter(({ rules }) => rules.some(({ apiGroups }) => apiGroups?.includes(POLICY_GROUP)));
      assert.deepEqual(
        granted.map(({ metadata, rules }) => [
          metadata.name,
          rules.filter(({ apiGroups }) => apiGroups?.includes(POLICY_GROUP)),
        ]),
        [[`countersign-${service}`, [READ_POLICIES]]],
      );
      const { args } = (findObject(objects, 'Deployment', `countersign-${service}`) as Deployment).spec.template.spec
        .containers[0]!;
      assert.ok(args.includes(flag), args.join(' '));
      assert.ok(objects.some(object => isOfApprover(object) && object.kind.startsWith('CustomRes')));
    });
  }

  test('approvalPolicies: off may be written without quotes', async () => {
    const objects = await render({ ...LEAST_VALUES, webhook: { approvalPolicies: false } });
    assert.deepEqual(objects.filter(isOfApprover), []);
  });
});
