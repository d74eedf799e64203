// Applies the rendered chart to a real API server: every field of every variant exists and is valid, and Pod Security
// `restricted` admits every pod.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import type { CommandResult } from '../support/control-plane/run-command.ts';
import { createRenderer, isTestHook, type KubeObject, LEAST_VALUES, NAMESPACE, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();
const POLICY_CRD = 'approvalpolicies.approval.countersign.io';

let controlPlane: ControlPlane;
before(async () => {
  controlPlane = await startControlPlane();
  await apply([
    restrictedNamespace(NAMESPACE),
    restrictedNamespace('sandbox'),
    ...['PodMonitor', 'ServiceMonitor'].map(monitorCrd),
    operatorCrd('PrometheusRule', ruleSpec),
  ]);
  for (const plural of ['podmonitors', 'servicemonitors', 'prometheusrules']) {
    await whenEstablished(`${plural}.monitoring.coreos.com`);
  }
});
after(() => controlPlane.stop());

async function whenEstablished(crd: string): Promise<void> {
  const wait = ['wait', '--for=condition=Established', `crd/${crd}`, '--timeout=30s'];
  await expectSuccess(controlPlane.kubectl(wait));
}

function restrictedNamespace(name: string): object {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };

function listOf(properties: object): object {
  return { type: 'array', items: { type: 'object', properties } };
}

const ruleSpec = {
  type: 'object',
  properties: {
    groups: listOf({
      name: text,
      rules: listOf({ alert: text, expr: text, for: text, labels: texts, annotations: texts }),
    }),
  },
};

function monitorCrd(kind: string): object {
  const endpoints = listOf({ port: text, path: text, interval: text });
  const list = { PodMonitor: 'podMetricsEndpoints', ServiceMonitor: 'endpoints' }[kind] ?? '';
  const selector = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return operatorCrd(kind, {
    type: 'object',
    required: [list],
    properties: { jobLabel: text, selector, [list]: endpoints },
  });
}

/**
 * Contains only the fields that the chart uses, as documented at prometheus-operator.dev, so that typos are rejected.
 */
function operatorCrd(kind: string, spec: object): object {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

async function expectSuccess(command: Promise<CommandResult>): Promise<CommandResult> {
  const result = await command;
  assert.equal(result.code, 0, result.stderr);
  return result;
}

function kubectlApply(objects: readonly object[], ...flags: string[]): Promise<CommandResult> {
  return controlPlane.kubectl(['apply', '--validate=strict', ...flags, '-f', '-'], { input: toYaml(objects) });
}

function toYaml(objects: readonly object[]): string {
  return objects.map(object => stringify(object)).join('---\n');
}

function apply(objects: readonly object[]): Promise<CommandResult> {
  return expectSuccess(kubectlApply(objects));
}

/** No pod is admitted without its ServiceAccount, not even in a dry run. */
async function applyServiceAccounts(objects: readonly KubeObject[]): Promise<void> {
  const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount');
  await apply([...new Map(accounts.map(account => [account.metadata.name, account])).values()]);
}

const isPolicyCrd = ({ metadata }: KubeObject) => metadata.name === POLICY_CRD;

/** The helm test creates policies, when the release and its CRD are installed. */
async function applyPolicyCrd(objects: readonly KubeObject[]): Promise<void> {
  await apply(objects.filter(isPolicyCrd).slice(0, 1));
  await whenEstablished(POLICY_CRD);
}

test('all fields of all objects of all variants are valid, and none is deprecated', async () => {
  const rendered = await Promise.all(Object.values(VARIANTS).map(render));
  const distinct = new Map(rendered.flat().map(object => [JSON.stringify(object), object]));
  await applyServiceAccounts([...distinct.values()]);
  await applyPolicyCrd([...distinct.values()]);
  const others = [...distinct.values()].filter(object => object.kind !== 'ServiceAccount' && !isPolicyCrd(object));
  const create = ['create', '--validate=strict', '--dry-run=server', '-f', '-'];
  const { stdout, stderr } = await expectSuccess(controlPlane.kubectl(create, { input: toYaml(others) }));
  assert.equal(stdout.trim().split('\n').length, others.length);
  // Only the variant with hostNetwork violates Pod Security, as documented in values.yaml.
  const warnings = stderr.split('\n').filter(line => line.startsWith('Warning:') && !line.includes('hostNetwork=true'));
  assert.deepEqual(warnings, []);
});

interface WithTemplate extends KubeObject {
  readonly spec: { readonly template: { readonly spec: object } };
}

/** Every pod of the chart as a Pod object, because Pod Security does not reject Deployments. */
async function podsOf(values: Values): Promise<readonly object[]> {
  const objects = await render(values);
  await applyServiceAccounts(objects);
  const deployments = objects.filter(({ kind }) => kind === 'Deployment') as WithTemplate[];
  const pods = deployments.map(({ metadata: { name, namespace }, spec }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: spec.template.spec,
  }));
  return [...pods, ...objects.filter(object => object.kind === 'Pod' && isTestHook(object))];
}

for (const [name, count] of [
  ['least', 3],
  ['everything', 4],
] as const) {
  test(`Pod Security "restricted" admits the pods of the services and of helm test: ${name}`, async () => {
    const pods = await podsOf(VARIANTS[name]!);
    assert.equal(pods.length, count);
    await expectSuccess(kubectlApply(pods, '--dry-run=server'));
  });
}

test('Pod Security "restricted" is enforced here: it rejects a pod with hostNetwork', async () => {
  const { code, stderr } = await kubectlApply(await podsOf(VARIANTS['private cluster']!), '--dry-run=server');
  assert.equal(code, 1);
  assert.match(stderr, /violates PodSecurity "restricted:latest": host namespaces \(hostNetwork=true\)/);
});

test('strict validation is enforced here: it rejects an unknown field', async () => {
  const [deployment] = (await render(LEAST_VALUES)).filter(({ kind }) => kind === 'Deployment') as WithTemplate[];
  const misspelt = { ...deployment, spec: { ...deployment!.spec, replica: 1 } };
  const { code, stderr } = await kubectlApply([misspelt], '--dry-run=server');
  assert.equal(code, 1);
  assert.match(stderr, /unknown field "spec.replica"/);
});
