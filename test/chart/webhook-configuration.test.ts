import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOCKED_ANNOTATIONS } from '@countersign/common/annotations.ts';
import {
  CA_BUNDLE,
  createRenderer,
  findObject,
  type KubeObject,
  LEAST_VALUES,
  NAMESPACE,
  type Values,
} from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

interface Configuration extends KubeObject {
  readonly webhooks: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: unknown;
  readonly rules: unknown;
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
}

async function readConfiguration(values: Values): Promise<Configuration> {
  return findObject(await render(values), 'ValidatingWebhookConfiguration', 'countersign-webhook') as Configuration;
}

async function readWebhook(values: Values): Promise<Webhook> {
  const { webhooks } = await readConfiguration(values);
  assert.equal(webhooks.length, 1);
  return webhooks[0]!;
}

test('the webhook fails closed, answers within 5 seconds and has no side effects', async () => {
  const { name: _, clientConfig: __, rules: ___, matchConditions: ____, ...rest } = await readWebhook(LEAST_VALUES);
  assert.deepEqual(rest, {
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 5,
  });
});

test('it is asked about created CSRs, and about updates through each of the three paths', async () => {
  const common = { apiGroups: ['certificates.k8s.io'], apiVersions: ['v1'], scope: 'Cluster' };
  assert.deepEqual((await readWebhook(LEAST_VALUES)).rules, [
    { ...common, operations: ['CREATE', 'UPDATE'], resources: ['certificatesigningrequests'] },
    {
      ...common,
      operations: ['UPDATE'],
      resources: ['certificatesigningrequests/status', 'certificatesigningrequests/approval'],
    },
  ]);
});

test('its conditions let through only issuer names, and only creations and changes of a locked annotation', async () => {
  const keys = LOCKED_ANNOTATIONS.map(key => `'${key}'`).join(', ');
  assert.deepEqual((await readWebhook(LEAST_VALUES)).matchConditions, [
    { name: 'names-an-issuer', expression: "object.spec.signerName.matches('^[a-z]+\\\\.cert-manager\\\\.io/')" },
    {
      name: 'created-or-locked-annotation-changed',
      expression:
        `request.operation == 'CREATE' || [ ${keys} ]` +
        '.exists(key, object.metadata.?annotations[?key] != oldObject.metadata.?annotations[?key])',
    },
  ]);
});

test('the API server calls it through its Service', async () => {
  assert.deepEqual((await readWebhook(LEAST_VALUES)).clientConfig, {
    service: { name: 'countersign-webhook', namespace: NAMESPACE, path: '/validate', port: 443 },
    caBundle: CA_BUNDLE,
  });
});

test('the API server calls it by its URL where one is given', async () => {
  const { clientConfig } = await readWebhook(VARIANTS['webhook by url']!);
  assert.deepEqual(clientConfig, { url: 'https://127.0.0.1:12345/validate', caBundle: CA_BUNDLE });
});

test('annotations may have the CA injected instead of caBundle', async () => {
  const { metadata, webhooks } = await readConfiguration(VARIANTS['caBundle injected']!);
  assert.deepEqual(metadata.annotations, { 'cert-manager.io/inject-ca-from': 'a/b' });
  assert.deepEqual(webhooks[0]?.clientConfig, {
    service: { name: 'countersign-webhook', namespace: NAMESPACE, path: '/validate', port: 443 },
  });
});
