// Who may use an issuer: the roles that the chart renders for users and pods.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ISSUER_GROUP } from '@countersign/common/signer-name.ts';
import { createRenderer, findObject } from './helm.ts';
import type { Binding, Role } from './roles.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

test('a referencer gets the verb reference on the named Issuer only', async () => {
  const objects = await render(VARIANTS['referencers']!);
  const role = findObject(objects, 'Role', 'countersign-referencer:my-issuer') as Role;
  assert.equal(role.metadata.namespace, 'sandbox');
  assert.deepEqual(role.rules, [
    { apiGroups: [ISSUER_GROUP], resources: ['signers'], resourceNames: ['my-issuer'], verbs: ['reference'] },
  ]);
  const apiGroup = 'rbac.authorization.k8s.io';
  const binding = findObject(objects, 'RoleBinding', 'countersign-referencer:my-issuer') as Binding;
  assert.deepEqual(binding.subjects, [
    { kind: 'User', name: 'oidc:jane@example.com', apiGroup },
    { kind: 'Group', name: 'platform', apiGroup },
    { kind: 'ServiceAccount', name: 'builder', namespace: 'ci' },
  ]);
});

test('a referencer of all Issuers gets a rule without resourceNames', async () => {
  const role = findObject(await render(VARIANTS['referencers']!), 'Role', 'countersign-referencer:*') as Role;
  assert.deepEqual(role.rules, [{ apiGroups: [ISSUER_GROUP], resources: ['signers'], verbs: ['reference'] }]);
});

test('the namespace of a ServiceAccount defaults to that of the Issuer', async () => {
  const objects = await render(VARIANTS['referencers']!);
  const binding = findObject(objects, 'RoleBinding', 'countersign-referencer:*') as Binding;
  assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'any', namespace: 'sandbox' }]);
});

test('a cluster referencer gets the verb reference on the named ClusterIssuer only', async () => {
  const objects = await render(VARIANTS['referencers']!);
  const role = findObject(objects, 'ClusterRole', 'countersign-referencer:my-cluster-issuer') as Role;
  const resourceNames = ['my-cluster-issuer'];
  assert.deepEqual(role.rules, [
    { apiGroups: [ISSUER_GROUP], resources: ['clusterissuers'], resourceNames, verbs: ['reference'] },
  ]);
  const binding = findObject(objects, 'ClusterRoleBinding', 'countersign-referencer:my-cluster-issuer') as Binding;
  assert.deepEqual(binding.subjects, [
    { kind: 'Group', name: 'system:serviceaccounts:team', apiGroup: 'rbac.authorization.k8s.io' },
    { kind: 'ServiceAccount', name: 'web', namespace: 'team' },
  ]);
});

test('a referencer of an external issuer gets the verb in the API group of its type, in a role of its own', async () => {
  const objects = await render(VARIANTS['external issuers']!);
  const type = 'countersign-referencer:thingissuers.things.example.com';
  const role = findObject(objects, 'Role', `${type}:my-issuer`) as Role;
  const resourceNames = ['my-issuer'];
  const apiGroups = ['things.example.com'];
  assert.deepEqual(role.rules, [{ apiGroups, resources: ['signers'], resourceNames, verbs: ['reference'] }]);
  const clusterType = 'countersign-referencer:thingclusterissuers.things.example.com';
  const clusterRole = findObject(objects, 'ClusterRole', `${clusterType}:my-issuer`) as Role;
  assert.deepEqual(clusterRole.rules, [
    { apiGroups, resources: ['thingclusterissuers'], resourceNames, verbs: ['reference'] },
  ]);
});

test('a cluster referencer of all ClusterIssuers gets a rule without resourceNames', async () => {
  const objects = await render(VARIANTS['referencers']!);
  const role = findObject(objects, 'ClusterRole', 'countersign-referencer:*') as Role;
  assert.deepEqual(role.rules, [{ apiGroups: [ISSUER_GROUP], resources: ['clusterissuers'], verbs: ['reference'] }]);
});
