import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CA_BUNDLE,
  CHART,
  createRenderer,
  type KubeObject,
  NAMESPACE,
  parseObjects,
  renderText,
  runHelm,
} from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

const CLUSTER_SCOPED = new Set([
  'ApprovalPolicy',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

for (const [name, values] of Object.entries({ 'no values': {}, everything: VARIANTS['everything'] ?? {} })) {
  test(`helm lint --strict reports nothing: ${name}`, async () => {
    const { code, stdout } = await runHelm(['lint', '--strict', CHART], values);
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]/);
  });
}

for (const [name, values] of Object.entries(VARIANTS)) {
  test(`the chart renders to the same bytes each time: ${name}`, async () => {
    const [first, second] = await Promise.all([renderText(values), renderText(values)]);
    assert.equal(first, second);
  });

  test(`all objects have the labels of the chart, the right scope and a unique name: ${name}`, async () => {
    const objects = await render(values);
    assert.equal(new Set(objects.map(keyOf)).size, objects.length);
    for (const object of objects) {
      assert.equal(object.metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm', keyOf(object));
      assert.equal(object.metadata.labels['app.kubernetes.io/part-of'], 'countersign', keyOf(object));
      assert.equal(object.metadata.namespace === undefined, CLUSTER_SCOPED.has(object.kind), keyOf(object));
    }
  });

  test(`Service names and label values have at most 63 characters: ${name}`, async () => {
    for (const { kind, metadata } of await render(values)) {
      if (kind === 'Service') assert.ok(metadata.name.length <= 63, metadata.name);
      for (const label of Object.values(metadata.labels ?? {})) assert.ok(label.length <= 63, label);
    }
  });
}

test('dots in the release name are replaced in Service names', async () => {
  const { stdout } = await runHelm(['template', 'a.b', CHART], {});
  const services = parseObjects(stdout).filter(({ kind }) => kind === 'Service');
  assert.deepEqual(
    services.map(({ metadata }) => metadata.name),
    ['a-b-countersign-signer', 'a-b-countersign-webhook'],
  );
});

test('all namespaced objects are in the release namespace by default', async () => {
  const objects = await render(VARIANTS['least']!);
  const namespaces = new Set(objects.map(({ metadata }) => metadata.namespace));
  assert.deepEqual(namespaces, new Set([NAMESPACE, undefined]));
});

test('all objects have commonLabels, which do not override the labels of the chart', async () => {
  for (const object of await render(VARIANTS['everything']!)) {
    assert.equal(object.metadata.labels?.['team'], 'platform', keyOf(object));
    assert.equal(object.metadata.labels['app.kubernetes.io/name'], 'signer-of-csrs', keyOf(object));
  }
});

const DIGITS = {
  fullnameOverride: '1',
  clusterResourceNamespace: '2',
  priorityClassName: '3',
  admissionPolicy: { enabled: true },
  networkPolicy: { enabled: true },
  monitor: { kind: 'PodMonitor' },
  alerts: { enabled: true },
  dashboard: { enabled: true },
  referencers: [{ namespace: '4', issuer: '5', subjects: [{ kind: 'ServiceAccount', name: '6' }] }],
  clusterReferencers: [{ issuer: '5', subjects: [{ kind: 'ServiceAccount', name: '6', namespace: '4' }] }],
  podCertificates: { admissionPolicies: { install: 'always' } },
  signer: { secretNamespaces: ['2', '1e3'], serviceAccount: { name: '7' } },
  webhook: {
    serviceAccount: { name: '8' },
    certificate: { mode: 'secret', secretName: '9', caBundle: CA_BUNDLE },
  },
};
const STRING_FIELDS = new Set([
  'name',
  'namespace',
  'serviceAccountName',
  'priorityClassName',
  'policyName',
  'image',
  'caBundle',
]);

test('names that look like numbers remain strings', async () => {
  const { code, stdout, stderr } = await runHelm(['template', '10', CHART, '--namespace', '11'], DIGITS);
  assert.equal(code, 0, stderr);
  for (const object of parseObjects(stdout)) assertStrings(object, object.kind);
});

function assertStrings(part: unknown, at: string): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    const isString = STRING_FIELDS.has(key) || at.endsWith('.resourceNames');
    if (isString) assert.equal(typeof value, 'string', `${at}.${key}: ${value}`);
    assertStrings(value, `${at}.${key}`);
  }
}
