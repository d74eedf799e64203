import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ISSUER_GROUP } from '@countersign/common/signer-name.ts';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES, NAMESPACE, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Role extends KubeObject {
  readonly rules: readonly Rule[];
}

interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

const GET_SECRETS: Rule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };

const SIGNER: readonly Rule[] = [
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/status'], verbs: ['patch'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: [`issuers.${ISSUER_GROUP}/*`, `clusterissuers.${ISSUER_GROUP}/*`],
    verbs: ['sign'],
  },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [ISSUER_GROUP], resources: ['issuers', 'clusterissuers'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [ISSUER_GROUP], resources: ['issuers/status', 'clusterissuers/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: ['cert-manager-controller'],
    verbs: ['get'],
  },
];

const SIGNER_LEASE: readonly Rule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: ['countersign-signer'],
    verbs: ['get', 'update'],
  },
];

const WEBHOOK: readonly Rule[] = [
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [ISSUER_GROUP], resources: ['issuers', 'clusterissuers'], verbs: ['get', 'list', 'watch'] },
];

const WEBHOOK_TLS: readonly Rule[] = [{ ...GET_SECRETS, resourceNames: ['countersign-webhook-tls'] }];

/** Every role of the rendered chart: `ClusterRole/name` or `namespace/name` → its rules. */
async function readRoles(values: Values): Promise<Readonly<Record<string, readonly Rule[]>>> {
  const roles = (await render(values)).filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole') as Role[];
  return Object.fromEntries(
    roles.map(({ kind, metadata, rules }) => [`${metadata.namespace ?? kind}/${metadata.name}`, rules]),
  );
}

const ROLES_OF_THE_RELEASE = {
  [`${NAMESPACE}/countersign-signer-lease`]: SIGNER_LEASE,
  [`${NAMESPACE}/countersign-webhook-tls`]: WEBHOOK_TLS,
};

test('the chart grants exactly this', async () => {
  assert.deepEqual(await readRoles(LEAST_VALUES), {
    'ClusterRole/countersign-signer': [...SIGNER, GET_SECRETS],
    'ClusterRole/countersign-webhook': [...WEBHOOK, GET_SECRETS],
    ...ROLES_OF_THE_RELEASE,
  });
});

test('webhook.secretWarnings false takes the Secrets from the webhook, except its own', async () => {
  assert.deepEqual(await readRoles(VARIANTS['no Secrets for the webhook']!), {
    'ClusterRole/countersign-signer': [...SIGNER, GET_SECRETS],
    'ClusterRole/countersign-webhook': WEBHOOK,
    ...ROLES_OF_THE_RELEASE,
  });
});

test('signer.secretNamespaces grants Secrets in these namespaces only, to both services', async () => {
  assert.deepEqual(await readRoles(VARIANTS['Secrets of two namespaces']!), {
    'ClusterRole/countersign-signer': SIGNER,
    'ClusterRole/countersign-webhook': WEBHOOK,
    ...ROLES_OF_THE_RELEASE,
    'sandbox/countersign-signer-secrets': [GET_SECRETS],
    'sandbox/countersign-webhook-secrets': [GET_SECRETS],
    [`${NAMESPACE}/countersign-signer-secrets`]: [GET_SECRETS],
    [`${NAMESPACE}/countersign-webhook-secrets`]: [GET_SECRETS],
  });
});

for (const [name, values] of Object.entries(VARIANTS)) {
  test(`nobody may list, watch or write Secrets, and no rule has a wildcard: ${name}`, async () => {
    for (const rule of Object.values(await readRoles(values)).flat()) {
      assert.ok(![...rule.apiGroups, ...rule.resources, ...rule.verbs].includes('*'), JSON.stringify(rule));
      if (rule.resources.includes('secrets')) assert.deepEqual(rule.verbs, ['get']);
    }
  });

  test(`every role is bound once, under its own name, to ServiceAccounts that exist or to referencers: ${name}`, async () => {
    const objects = await render(values);
    const bindings = objects.filter(({ kind }) => kind.endsWith('Binding')) as Binding[];
    const roles = objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
    assert.equal(bindings.length, roles.length);
    for (const { metadata, roleRef, subjects } of bindings) {
      const role = findBoundRole(roles, { kind: roleRef.kind, ...metadata });
      assert.equal(role?.metadata.name, roleRef.name);
      if (metadata.name.includes('-referencer:')) continue;
      assert.equal(subjects.length, 1);
      assert.equal(findObject(objects, 'ServiceAccount', subjects[0]!.name).metadata.namespace, subjects[0]!.namespace);
    }
  });
}

function findBoundRole(
  roles: readonly KubeObject[],
  { kind, name, namespace }: { kind: string; name: string; namespace?: string },
): KubeObject | undefined {
  return roles.find(r => r.kind === kind && r.metadata.name === name && r.metadata.namespace === namespace);
}

test('a referencer gets the verb reference on the one Issuer that is named, in its namespace', async () => {
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

test('a ServiceAccount without a namespace is the one beside the Issuer', async () => {
  const objects = await render(VARIANTS['referencers']!);
  const binding = findObject(objects, 'RoleBinding', 'countersign-referencer:*') as Binding;
  assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'any', namespace: 'sandbox' }]);
});
