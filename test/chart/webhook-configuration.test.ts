import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
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
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
  readonly objectSelector?: unknown;
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

test('the webhook fails closed, has a timeout of 5 seconds and no side effects', async () => {
  const { name: _, clientConfig: __, rules: ___, matchConditions: ____, ...rest } = await readWebhook(LEAST_VALUES);
  assert.deepEqual(rest, {
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 5,
  });
});

test('the webhook is called for created CSRs, and for updates of CSRs, /status and /approval', async () => {
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

test('the match conditions select only issuer signer names, and only creations and changes of locked annotations', async () => {
  const keys = IMMUTABLE_ANNOTATIONS.map(key => `'${key}'`).join(', ');
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

const SERVICE = { name: 'countersign-webhook', namespace: NAMESPACE, path: '/validate', port: 443 };

test('the API server calls the webhook through its Service, and caBundle is left to the webhook', async () => {
  assert.deepEqual((await readWebhook(LEAST_VALUES)).clientConfig, { service: SERVICE });
});

test('certificate.caBundle is the CA that the API server trusts', async () => {
  const { clientConfig } = await readWebhook(VARIANTS['provided certificate']!);
  assert.deepEqual(clientConfig, { service: SERVICE, caBundle: CA_BUNDLE });
});

test('failurePolicy, timeoutSeconds, objectSelector and matchConditions can be set by values', async () => {
  const { webhook } = VARIANTS['open webhook'] as { webhook: Record<string, unknown> & { matchConditions: unknown[] } };
  const { failurePolicy, timeoutSeconds, objectSelector, matchConditions } = await readWebhook(
    VARIANTS['open webhook']!,
  );
  assert.deepEqual(
    { failurePolicy, timeoutSeconds, objectSelector, matchConditions: matchConditions.slice(2) },
    webhook,
  );
  assert.deepEqual(matchConditions.slice(0, 2), (await readWebhook(LEAST_VALUES)).matchConditions);
});

test('the API server calls the webhook at webhook.url, if set', async () => {
  const { clientConfig } = await readWebhook(VARIANTS['webhook by url']!);
  assert.deepEqual(clientConfig, { url: 'https://127.0.0.1:12345/validate' });
});

test('configurationAnnotations can have the CA injected instead of caBundle', async () => {
  const { metadata, webhooks } = await readConfiguration(VARIANTS['caBundle injected']!);
  assert.deepEqual(metadata.annotations, { 'cert-manager.io/inject-ca-from': 'a/b' });
  assert.deepEqual(webhooks[0]?.clientConfig, { service: SERVICE });
});
