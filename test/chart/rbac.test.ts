import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ISSUER_GROUP } from '@countersign/common/signer-name.ts';
import {
  createRenderer,
  findObject,
  isTestHook,
  type KubeObject,
  LEAST_VALUES,
  NAMESPACE,
  type Values,
} from './helm.ts';
import type { Binding, Role, Rule } from './roles.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

const GET_SECRETS: Rule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };

const SIGNER: readonly Rule[] = [
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/status'], verbs: ['patch'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: [`issuers.${ISSUER_GROUP}/*`, `clusterissuers.${ISSUER_GROUP}/*`],
    verbs: ['sign', 'attest'],
  },
  { apiGroups: ['certificates.k8s.io'], resources: ['podcertificaterequests'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['podcertificaterequests/status'], verbs: ['patch'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['clustertrustbundles'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
  },
  { nonResourceURLs: ['/apis/certificates.k8s.io/v1'], verbs: ['get'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [ISSUER_GROUP], resources: ['issuers', 'clusterissuers'], verbs: ['list', 'watch'] },
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
    verbs: ['get', 'update', 'watch'],
  },
];

const CONSTRAINTS = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['countersign-name-constraints'] };

const WEBHOOK: readonly Rule[] = [
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [ISSUER_GROUP], resources: ['issuers', 'clusterissuers'], verbs: ['list', 'watch'] },
];

const WEBHOOK_CONFIGURATION: Rule = {
  apiGroups: ['admissionregistration.k8s.io'],
  resources: ['validatingwebhookconfigurations'],
  resourceNames: ['countersign-webhook'],
  verbs: ['get', 'update'],
};

const WEBHOOK_TLS: readonly Rule[] = [
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['countersign-webhook-ca'], verbs: ['get', 'update'] },
];

const ISSUERS = { apiGroups: [ISSUER_GROUP], resources: ['issuers'] };

/** Roles for users, which the chart does not bind. */
const FOR_USERS: Readonly<Record<string, readonly Rule[]>> = {
  'ClusterRole/countersign-referencer': [{ apiGroups: [ISSUER_GROUP], resources: ['signers'], verbs: ['reference'] }],
  'ClusterRole/countersign-issuers-view': [{ ...ISSUERS, verbs: ['get', 'list', 'watch'] }],
  'ClusterRole/countersign-issuers-edit': [
    { ...ISSUERS, verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
  ],
};

function isRole({ kind }: KubeObject): boolean {
  return kind === 'Role' || kind === 'ClusterRole';
}

/** All roles of the rendered chart except those of helm test: `ClusterRole/name` or `namespace/name` → rules. */
async function readRoles(values: Values): Promise<Readonly<Record<string, readonly Rule[]>>> {
  const roles = (await render(values)).filter(object => isRole(object) && !isTestHook(object)) as Role[];
  return Object.fromEntries(
    roles.map(({ kind, metadata, rules }) => [`${metadata.namespace ?? kind}/${metadata.name}`, rules]),
  );
}

const ROLES_OF_THE_RELEASE = {
  [`${NAMESPACE}/countersign-signer-lease`]: SIGNER_LEASE,
  [`${NAMESPACE}/countersign-webhook-tls`]: WEBHOOK_TLS,
  [`${NAMESPACE}/countersign-signer-names`]: [{ ...CONSTRAINTS, verbs: ['get', 'patch'] }],
  [`${NAMESPACE}/countersign-webhook-names`]: [{ ...CONSTRAINTS, verbs: ['list', 'watch'] }],
  ...FOR_USERS,
};

test('the chart grants exactly the permissions listed here', async () => {
  assert.deepEqual(await readRoles(LEAST_VALUES), {
    'ClusterRole/countersign-signer': [...SIGNER, GET_SECRETS],
    'ClusterRole/countersign-webhook': [...WEBHOOK, WEBHOOK_CONFIGURATION],
    ...ROLES_OF_THE_RELEASE,
  });
});

test('webhook.secretWarnings allows the webhook to get Secrets other than its own', async () => {
  assert.deepEqual(await readRoles(VARIANTS['Secrets for the webhook']!), {
    'ClusterRole/countersign-signer': [...SIGNER, GET_SECRETS],
    'ClusterRole/countersign-webhook': [...WEBHOOK, WEBHOOK_CONFIGURATION, GET_SECRETS],
    ...ROLES_OF_THE_RELEASE,
  });
});

test('signer.secretNamespaces limits the access of both services to Secrets in these namespaces', async () => {
  assert.deepEqual(await readRoles(VARIANTS['Secrets of two namespaces']!), {
    'ClusterRole/countersign-signer': SIGNER,
    'ClusterRole/countersign-webhook': [...WEBHOOK, WEBHOOK_CONFIGURATION],
    ...ROLES_OF_THE_RELEASE,
    'sandbox/countersign-signer-secrets': [GET_SECRETS],
    'sandbox/countersign-webhook-secrets': [GET_SECRETS],
    [`${NAMESPACE}/countersign-signer-secrets`]: [GET_SECRETS],
    [`${NAMESPACE}/countersign-webhook-secrets`]: [GET_SECRETS],
  });
});

test('a webhook with a provided certificate may read its Secret, and write nothing', async () => {
  const roles = await readRoles(VARIANTS['provided certificate']!);
  assert.deepEqual(roles['ClusterRole/countersign-webhook'], WEBHOOK);
  assert.deepEqual(roles[`${NAMESPACE}/countersign-webhook-tls`], [
    { ...GET_SECRETS, resourceNames: ['countersign-webhook-tls'] },
  ]);
});

test('signer.patchAnnotations allows the signer to patch CSRs, and nothing else', async () => {
  const { 'ClusterRole/countersign-signer': rules } = await readRoles(VARIANTS['annotations patched']!);
  const [csrs, ...rest] = SIGNER;
  assert.deepEqual(rules, [{ ...csrs, verbs: [...csrs!.verbs, 'patch'] }, ...rest, GET_SECRETS]);
});

test('delegation.enabled adds the permission to create and read CertificateRequests, and no other', async () => {
  const { 'ClusterRole/countersign-signer': rules = [], ...others } = await readRoles(VARIANTS['delegation']!);
  const known = new Set([...SIGNER, GET_SECRETS].map(rule => JSON.stringify(rule)));
  assert.deepEqual(
    rules.filter(rule => !known.has(JSON.stringify(rule))),
    [
      { apiGroups: [ISSUER_GROUP], resources: ['certificaterequests'], verbs: ['create', 'get', 'list', 'watch'] },
      { nonResourceURLs: ['/apis/cert-manager.io/v1'], verbs: ['get'] },
    ],
  );
  assert.equal(rules.length, SIGNER.length + 3);
  const { 'ClusterRole/countersign-signer': _, ...usual } = await readRoles(LEAST_VALUES);
  assert.deepEqual(others, usual);
});

test('delegation.approve adds the permission to approve CertificateRequests of all issuers, and no other', async () => {
  const before = (await readRoles(VARIANTS['delegation']!))['ClusterRole/countersign-signer'] ?? [];
  const after = (await readRoles(VARIANTS['delegation with approval']!))['ClusterRole/countersign-signer'] ?? [];
  const known = new Set(before.map(rule => JSON.stringify(rule)));
  assert.deepEqual(
    after.filter(rule => !known.has(JSON.stringify(rule))),
    [
      { apiGroups: [ISSUER_GROUP], resources: ['certificaterequests/status'], verbs: ['patch'] },
      {
        apiGroups: [ISSUER_GROUP],
        resources: ['signers'],
        resourceNames: [`issuers.${ISSUER_GROUP}/*`, `clusterissuers.${ISSUER_GROUP}/*`],
        verbs: ['approve'],
      },
    ],
  );
});

test('external issuers add the verbs sign and approve on their signer names, and no other', async () => {
  const before =
    (await readRoles({ ...VARIANTS['delegation with approval']! }))['ClusterRole/countersign-signer'] ?? [];
  const after = (await readRoles(VARIANTS['external issuers']!))['ClusterRole/countersign-signer'] ?? [];
  const known = new Set(before.map(rule => JSON.stringify(rule)));
  const names = ['thingissuers.things.example.com/*', 'thingclusterissuers.things.example.com/*'];
  assert.deepEqual(
    after.filter(rule => !known.has(JSON.stringify(rule))),
    [
      { apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: names, verbs: ['sign'] },
      {
        apiGroups: [ISSUER_GROUP],
        resources: ['signers'],
        resourceNames: [`issuers.${ISSUER_GROUP}/*`, `clusterissuers.${ISSUER_GROUP}/*`, ...names],
        verbs: ['approve'],
      },
    ],
  );
  assert.equal(after.length, before.length + 1);
});

test('signer.issuerStatus decides whether the signer may write Ready conditions and read the Lease of cert-manager', async () => {
  const rulesFor = async (issuerStatus: string) =>
    (await readRoles({ signer: { issuerStatus } }))['ClusterRole/countersign-signer'];
  const isAbout = (rule: Rule, ...resources: string[]) =>
    resources.some(resource => rule.resources?.includes(resource));
  assert.deepEqual(await rulesFor('always'), [...SIGNER.filter(rule => !isAbout(rule, 'leases')), GET_SECRETS]);
  const reads = SIGNER.filter(rule => !isAbout(rule, 'leases', 'issuers/status'));
  assert.deepEqual(await rulesFor('never'), [...reads, GET_SECRETS]);
});

test('podCertificates.enabled=false takes every permission on PodCertificateRequests from the signer', async () => {
  const { 'ClusterRole/countersign-signer': rules } = await readRoles(VARIANTS['no certificates for pods']!);
  const isForPods = ({ resources }: Rule) => resources?.some(resource => resource.startsWith('podcertificaterequests'));
  assert.deepEqual(rules, [...SIGNER.filter(rule => !isForPods(rule)), GET_SECRETS]);
});

test('policy.honourNameConstraints=false renders neither the ConfigMap of name constraints nor its roles', async () => {
  const objects = await render(VARIANTS['policy']!);
  assert.deepEqual(
    objects.filter(({ metadata }) => /name-constraints$|-names$/.test(metadata.name)),
    [],
  );
});

test('rbac.create=false renders no roles, and no helm test, which needs them', async () => {
  const objects = await render(VARIANTS['no roles']!);
  assert.deepEqual(
    objects.filter(object => isRole(object) || object.kind.endsWith('Binding') || isTestHook(object)),
    [],
  );
});

test('rbac.aggregateClusterRoles=false does not extend the built-in roles', async () => {
  const roles = await readRoles(VARIANTS['no aggregated roles']!);
  assert.deepEqual(
    Object.keys(roles).filter(name => name.includes('-issuers-')),
    [],
  );
});

for (const [name, values] of Object.entries(VARIANTS)) {
  test(`no role allows listing, watching or creating Secrets or has a wildcard: ${name}`, async () => {
    for (const rule of Object.values(await readRoles(values)).flat()) {
      const { apiGroups = [], resources = [], nonResourceURLs = [], verbs } = rule;
      const isAny = [...apiGroups, ...resources, ...nonResourceURLs, ...verbs].some(part => part.includes('*'));
      assert.ok(!isAny, JSON.stringify(rule));
      if (!resources.includes('secrets')) continue;
      // The webhook may update the Secret of its CA, by name.
      const allowed = rule.resourceNames === undefined ? ['get'] : ['get', 'update'];
      assert.ok(
        rule.verbs.every(verb => allowed.includes(verb)),
        JSON.stringify(rule),
      );
    }
  });

  test(`every role is bound once, by its own name, to existing ServiceAccounts or to referencers: ${name}`, async () => {
    const objects = await render(values);
    const bindings = objects.filter(({ kind }) => /^(Cluster)?RoleBinding$/.test(kind)) as Binding[];
    const roles = objects.filter(object => isRole(object) && !isForUsers(object.metadata.name));
    assert.equal(bindings.length, roles.length);
    for (const { metadata, roleRef, subjects } of bindings) {
      const role = findBoundRole(roles, { kind: roleRef.kind, ...metadata });
      assert.equal(role?.metadata.name, roleRef.name);
      if (/-referencer|-test-requester$/.test(metadata.name)) continue;
      assert.equal(subjects.length, 1);
      if (subjects[0]!.name === 'mine') continue;
      assert.equal(findObject(objects, 'ServiceAccount', subjects[0]!.name).metadata.namespace, subjects[0]!.namespace);
    }
  });
}

function isForUsers(name: string): boolean {
  return /(?<!-test)-referencer$|-issuers-(view|edit)$/.test(name);
}

function findBoundRole(
  roles: readonly KubeObject[],
  { kind, name, namespace }: { kind: string; name: string; namespace?: string },
): KubeObject | undefined {
  return roles.find(r => r.kind === kind && r.metadata.name === name && r.metadata.namespace === namespace);
}

test('the signer may request tokens of the listed ServiceAccounts, by name in their namespace, and of no others', async () => {
  const objects = await render(VARIANTS['Vault by ServiceAccounts']!);
  const requesting = (objects.filter(isRole) as Role[]).filter(({ rules }) =>
    rules.some(({ resources }) => resources?.includes('serviceaccounts/token')),
  );
  const resourceNames = ['vault-issuer', 'other'];
  assert.deepEqual(
    requesting.map(({ kind, metadata, rules }) => [kind, metadata.namespace, rules]),
    [
      [
        'Role',
        'sandbox',
        [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames, verbs: ['create'] }],
      ],
    ],
  );
  const binding = findObject(objects, 'RoleBinding', requesting[0]!.metadata.name) as Binding;
  assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'countersign-signer', namespace: NAMESPACE }]);
});

for (const publish of ['off', false]) {
  test(`trustBundles.publish=${publish} takes the permissions on ClusterTrustBundles and attest from the signer`, async () => {
    const { 'ClusterRole/countersign-signer': rules } = await readRoles({ trustBundles: { publish } });
    const kept = SIGNER.filter(({ resources }) => !resources?.includes('clustertrustbundles'));
    const withoutAttest = kept.map(({ verbs, ...rule }) => ({
      ...rule,
      verbs: verbs.filter(verb => verb !== 'attest'),
    }));
    assert.deepEqual(rules, [...withoutAttest, GET_SECRETS]);
  });
}
