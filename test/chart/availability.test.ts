// Availability of the services: how pods are replaced, spread, drained and stopped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

type Fields = Readonly<Record<string, unknown>>;

interface Deployment extends KubeObject {
  readonly spec: {
    readonly strategy: unknown;
    readonly selector: unknown;
    readonly template: { readonly spec: Fields & { readonly containers: readonly Fields[] } };
  };
}

async function readDeployment(values: Values, name: string): Promise<Deployment['spec']> {
  return (findObject(await render(values), 'Deployment', name) as Deployment).spec;
}

for (const service of ['signer', 'webhook']) {
  const name = `countersign-${service}`;

  test(`a pod of the ${service} stops only when its replacement is ready`, async () => {
    const { strategy } = await readDeployment(LEAST_VALUES, name);
    assert.deepEqual(strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
  });

  test(`node drains evict one pod of the ${service} at a time, and do not wait for pods that are not ready`, async () => {
    const { spec } = findObject(await render(LEAST_VALUES), 'PodDisruptionBudget', name) as KubeObject & {
      spec: Fields;
    };
    assert.deepEqual(spec, {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: (await readDeployment(LEAST_VALUES, name)).selector,
    });
  });

  test(`topology spread constraints of the ${service} select its own pods by default`, async () => {
    const { selector, template } = await readDeployment(VARIANTS['everything']!, `csrs-${service}`);
    const { topologySpreadConstraints } = VARIANTS['everything']! as { topologySpreadConstraints: readonly Fields[] };
    const [zone, host] = topologySpreadConstraints;
    assert.deepEqual(template.spec['topologySpreadConstraints'], [{ ...zone, labelSelector: selector }, host]);
  });

  test(`the replicas of the ${service} prefer different nodes`, async () => {
    const { selector, template } = await readDeployment(LEAST_VALUES, name);
    const podAffinityTerm = { topologyKey: 'kubernetes.io/hostname', labelSelector: selector };
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
    assert.deepEqual(template.spec['affinity'], { podAntiAffinity: preferred });
  });
}

test('podDisruptionBudget.enabled=false renders no PodDisruptionBudget', async () => {
  const objects = await render(VARIANTS['no PodDisruptionBudgets']!);
  assert.ok(objects.every(({ kind }) => kind !== 'PodDisruptionBudget'));
});

test('a webhook pod keeps serving before SIGTERM until all nodes have removed it, within its grace period', async () => {
  const { template } = await readDeployment(LEAST_VALUES, 'countersign-webhook');
  assert.deepEqual(template.spec.containers[0]?.['lifecycle'], { preStop: { sleep: { seconds: 5 } } });
  assert.equal(template.spec['terminationGracePeriodSeconds'], 35);
});

test('preStopSeconds=0 renders no preStop hook, because a sleep of zero seconds requires Kubernetes 1.33', async () => {
  const { template } = await readDeployment(VARIANTS['private cluster']!, 'countersign-webhook');
  assert.equal(template.spec.containers[0]?.['lifecycle'], undefined);
  assert.equal(template.spec['terminationGracePeriodSeconds'], 30);
});

test('a webhook with hostNetwork listens on the configured ports, and frees them before its replacement starts', async () => {
  const { strategy, template } = await readDeployment(VARIANTS['private cluster']!, 'countersign-webhook');
  assert.deepEqual(strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } });
  const { hostNetwork, dnsPolicy, containers } = template.spec;
  assert.deepEqual({ hostNetwork, dnsPolicy }, { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
  const { args, ports } = containers[0] as { args: readonly string[]; ports: readonly { containerPort: number }[] };
  assert.deepEqual(
    ports.map(port => port.containerPort),
    [10250, 10251],
  );
  assert.ok(args.includes('--address=:10250') && args.includes('--http-address=:10251'), args.join(' '));
});

test('the signer never uses the host network', async () => {
  const { template } = await readDeployment(VARIANTS['private cluster']!, 'countersign-signer');
  assert.equal(template.spec['hostNetwork'], undefined);
});

test('values override single fields of security contexts and probes', async () => {
  const { template } = await readDeployment(VARIANTS['private cluster']!, 'countersign-signer');
  assert.deepEqual(template.spec['securityContext'], {
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const webhook = await readDeployment(VARIANTS['everything']!, 'csrs-webhook');
  const probe = webhook.template.spec.containers[0]?.['readinessProbe'] as Fields;
  assert.deepEqual([probe['periodSeconds'], probe['timeoutSeconds']], [1, 2]);
});

test('extraVolumes and extraVolumeMounts are rendered', async () => {
  const { template } = await readDeployment(VARIANTS['everything']!, 'csrs-signer');
  assert.deepEqual(template.spec['volumes'], [{ name: 'cas', configMap: { name: 'cas' } }]);
  assert.deepEqual(template.spec.containers[0]?.['volumeMounts'], [{ name: 'cas', mountPath: '/cas' }]);
});
