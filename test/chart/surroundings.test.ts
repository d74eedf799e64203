// Optional objects around the services: network policies, the monitor for the Prometheus Operator, and the Secret of
// the webhook's CA.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES, NAMESPACE, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

type Fields = Readonly<Record<string, unknown>>;

async function readSpec(values: Values, kind: string, name: string): Promise<Fields> {
  return (findObject(await render(values), kind, name) as KubeObject & { spec: Fields }).spec;
}

const tcp = (port: number | string) => ({ protocol: 'TCP', port });

test('the chart renders no network policy, monitor or admission policy by default', async () => {
  const kinds = new Set((await render(LEAST_VALUES)).map(({ kind }) => kind));
  for (const kind of ['NetworkPolicy', 'ServiceMonitor', 'PodMonitor', 'ValidatingAdmissionPolicy']) {
    assert.ok(!kinds.has(kind), kind);
  }
});

test('the network policies allow ingress for admission and scrapes, and egress only to the API server', async () => {
  const values = VARIANTS['network policy']!;
  const egress = [{ ports: [tcp(443), tcp(6443)] }];
  const { podSelector: _, ...signer } = await readSpec(values, 'NetworkPolicy', 'countersign-signer');
  assert.deepEqual(signer, { policyTypes: ['Ingress', 'Egress'], ingress: [{ ports: [tcp('http')] }], egress });
  const { podSelector, ...webhook } = await readSpec(values, 'NetworkPolicy', 'countersign-webhook');
  const ingress = [{ ports: [tcp('https')] }, { ports: [tcp('http')] }];
  assert.deepEqual(webhook, { policyTypes: ['Ingress', 'Egress'], ingress, egress });
  const { selector } = await readSpec(values, 'Deployment', 'countersign-webhook');
  assert.deepEqual(podSelector, selector);
});

test('the network policies are limited to admissionFrom, metricsFrom and apiServer.cidrs, if set', async () => {
  const { networkPolicy } = VARIANTS['everything'] as {
    networkPolicy: { admissionFrom: unknown; metricsFrom: unknown };
  };
  const { ingress, egress } = await readSpec(VARIANTS['everything']!, 'NetworkPolicy', 'csrs-webhook');
  assert.deepEqual(ingress, [
    { ports: [tcp('https')], from: networkPolicy.admissionFrom },
    { ports: [tcp('http')], from: networkPolicy.metricsFrom },
  ]);
  const to = ['10.0.0.1/32', 'fd00::1/128'].map(cidr => ({ ipBlock: { cidr } }));
  assert.deepEqual(egress, [{ ports: [tcp(6443)], to }]);
});

test('networkPolicy.vault allows the signer alone to connect to Vault servers and to resolve their names', async () => {
  const values = VARIANTS['Vault by ServiceAccounts']!;
  const api = { ports: [tcp(443), tcp(6443)] };
  const vault = { ports: [tcp(8200)], to: [{ ipBlock: { cidr: '10.0.0.9/32' } }] };
  const dns = { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] };
  const { egress: ofSigner } = await readSpec(values, 'NetworkPolicy', 'countersign-signer');
  const { egress: ofWebhook } = await readSpec(values, 'NetworkPolicy', 'countersign-webhook');
  assert.deepEqual([ofSigner, ofWebhook], [[api, vault, dns], [api]]);
});

const SELECTOR = {
  matchLabels: { 'app.kubernetes.io/name': 'countersign', 'app.kubernetes.io/instance': 'countersign' },
  matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: ['signer', 'webhook'] }],
};

test('a PodMonitor scrapes the pods of both services', async () => {
  assert.deepEqual(await readSpec(VARIANTS['PodMonitor']!, 'PodMonitor', 'countersign'), {
    jobLabel: 'app.kubernetes.io/component',
    selector: SELECTOR,
    podMetricsEndpoints: [{ port: 'http', path: '/metrics' }],
  });
});

test('a ServiceMonitor scrapes both Services, and has the labels of monitor.labels', async () => {
  const { metadata, spec } = findObject(
    await render(VARIANTS['everything']!),
    'ServiceMonitor',
    'csrs',
  ) as KubeObject & {
    spec: Fields;
  };
  assert.equal(metadata.labels?.['release'], 'prometheus');
  assert.deepEqual(spec['endpoints'], [{ port: 'http', path: '/metrics', interval: '30s' }]);
});

test('the manifest of the CA Secret has no data, so that upgrades keep the CA', async () => {
  const { metadata, ...rest } = findObject(await render(LEAST_VALUES), 'Secret', 'countersign-webhook-ca');
  assert.equal(metadata.namespace, NAMESPACE);
  assert.deepEqual(rest, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque' });
});

test('the chart renders no Secret for a webhook with a provided certificate', async () => {
  const objects = await render(VARIANTS['provided certificate']!);
  assert.ok(objects.every(({ kind }) => kind !== 'Secret'));
});
