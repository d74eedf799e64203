import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { findMistakes as findSignerMistakes, OPTIONS as SIGNER_OPTIONS } from '@countersign/signer/options.ts';
import { findMistakes, OPTIONS as WEBHOOK_OPTIONS } from '@countersign/webhook/options.ts';
import { readVersion } from '../../build/image-contents.ts';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly args: readonly string[];
  readonly env: unknown;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: unknown;
  readonly securityContext: unknown;
  readonly livenessProbe: { readonly httpGet: unknown };
  readonly readinessProbe: { readonly httpGet: unknown };
}

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: KubeObject['metadata'];
      readonly spec: Readonly<Record<string, unknown>> & { readonly containers: readonly Container[] };
    };
  };
}

interface Service extends KubeObject {
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
  };
}

async function readDeployment(values: Values, name: string): Promise<Deployment['spec']> {
  return (findObject(await render(values), 'Deployment', name) as Deployment).spec;
}

async function readContainer(values: Values, name: string): Promise<Container> {
  const { containers } = (await readDeployment(values, name)).template.spec;
  assert.equal(containers.length, 1);
  return containers[0]!;
}

for (const service of ['signer', 'webhook'] as const) {
  const name = `countersign-${service}`;

  test(`the ${service} satisfies the Pod Security level "restricted" and has a read-only root file system`, async () => {
    const { spec } = (await readDeployment(LEAST_VALUES, name)).template;
    assert.deepEqual(spec['securityContext'], {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(spec.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test(`the probes of the ${service} use its http port`, async () => {
    const { livenessProbe, readinessProbe, ports } = await readContainer(LEAST_VALUES, name);
    assert.deepEqual(livenessProbe.httpGet, { path: '/healthz', port: 'http' });
    assert.deepEqual(readinessProbe.httpGet, { path: '/readyz', port: 'http' });
    assert.equal(ports.find(port => port.name === 'http')?.containerPort, 9402);
  });

  test(`the Service of the ${service} selects its pods and all their ports`, async () => {
    const objects = await render(LEAST_VALUES);
    const { spec } = findObject(objects, 'Service', name) as Service;
    const deployment = (findObject(objects, 'Deployment', name) as Deployment).spec;
    assert.deepEqual(spec.selector, deployment.selector.matchLabels);
    for (const [key, value] of Object.entries(spec.selector)) {
      assert.equal(deployment.template.metadata.labels?.[key], value);
    }
    const names = deployment.template.spec.containers[0]?.ports.map(port => port.name);
    assert.deepEqual(spec.ports.map(port => port.targetPort).toSorted(), names?.toSorted());
  });

  test(`the ${service} runs as its own ServiceAccount, whose token is not mounted into other pods by default`, async () => {
    const objects = await render(LEAST_VALUES);
    const { spec } = (findObject(objects, 'Deployment', name) as Deployment).spec.template;
    const account = findObject(objects, 'ServiceAccount', name) as KubeObject & {
      automountServiceAccountToken: boolean;
    };
    assert.equal(spec['serviceAccountName'], name);
    assert.equal(spec['automountServiceAccountToken'], true);
    assert.equal(account.automountServiceAccountToken, false);
  });

  test(`the scheduling values apply to the ${service}`, async () => {
    const { spec } = (await readDeployment(VARIANTS['everything']!, `csrs-${service}`)).template;
    assert.deepEqual(spec['imagePullSecrets'], [{ name: 'registry-login' }]);
    assert.deepEqual(spec['nodeSelector'], { 'kubernetes.io/os': 'linux' });
    assert.deepEqual(spec['tolerations'], [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }]);
    assert.deepEqual(spec['affinity'], { nodeAffinity: {} });
    assert.equal(spec['priorityClassName'], 'system-cluster-critical');
    assert.equal(spec['serviceAccountName'], `my-${service}`);
  });

  test(`pods of the ${service} have commonLabels and podLabels; podLabels win, and neither is in the selector`, async () => {
    const { metadata, spec } = findObject(
      await render(VARIANTS['everything']!),
      'Deployment',
      `csrs-${service}`,
    ) as Deployment;
    const { team, tier, mesh } = spec.template.metadata.labels ?? {};
    assert.deepEqual({ team, tier, mesh }, { team: 'signing', tier: 'control', mesh: 'out' });
    assert.deepEqual([metadata.labels?.['team'], metadata.labels?.['mesh']], ['platform', undefined]);
    const keys = ['name', 'instance', 'component'].map(key => `app.kubernetes.io/${key}`);
    assert.deepEqual(Object.keys(spec.selector.matchLabels), keys);
  });
}

for (const [name, values] of Object.entries(VARIANTS)) {
  const prefix = typeof values['fullnameOverride'] === 'string' ? values['fullnameOverride'] : 'countersign';

  test(`the signer accepts the flags of the chart: ${name}`, async () => {
    const { args } = await readContainer(values, `${prefix}-signer`);
    const config = parseConfig(SIGNER_OPTIONS, args, {});
    assert.ok(config.ok, JSON.stringify(config));
    assert.deepEqual(findSignerMistakes(config.value), []);
  });

  test(`the webhook accepts the flags of the chart: ${name}`, async () => {
    const { args } = await readContainer(values, `${prefix}-webhook`);
    const config = parseConfig(WEBHOOK_OPTIONS, args, {});
    assert.ok(config.ok, JSON.stringify(config));
    assert.deepEqual(findMistakes(config.value), []);
  });
}

test('the pods get no service environment variables, which would be rejected as unknown options', async () => {
  for (const name of ['countersign-signer', 'countersign-webhook']) {
    assert.equal((await readDeployment(LEAST_VALUES, name)).template.spec['enableServiceLinks'], false);
  }
});

test('the signer gets these flags by default', async () => {
  assert.deepEqual((await readContainer(LEAST_VALUES, 'countersign-signer')).args, [
    '--http-address=:9402',
    '--cluster-resource-namespace=$(POD_NAMESPACE)',
    '--log-level=info',
    '--leader-elect=true',
    '--lease-duration=15s',
    '--issuer-status=auto',
    '--trust-bundles=all',
    '--keep-retired-anchors=2184h',
    '--workers=32',
    '--pod-certificates=true',
    '--trust-domain=cluster.local',
    '--cluster-domain=cluster.local',
    '--pod-max-duration=24h',
    '--pod-backdate=1m',
  ]);
});

test('the webhook gets these flags by default', async () => {
  assert.deepEqual((await readContainer(LEAST_VALUES, 'countersign-webhook')).args, [
    '--http-address=:9402',
    '--cluster-resource-namespace=$(POD_NAMESPACE)',
    '--log-level=info',
    '--address=:8443',
    '--managed-certificate-secret=$(POD_NAMESPACE)/countersign-webhook-ca',
    '--webhook-configuration=countersign-webhook',
    '--dns-names=countersign-webhook.$(POD_NAMESPACE).svc',
  ]);
});

test('the certificate of a webhook with a URL is also valid for the host of the URL', async () => {
  const { args } = await readContainer(VARIANTS['webhook by url']!, 'countersign-webhook');
  assert.equal(args.at(-1), '--dns-names=countersign-webhook.$(POD_NAMESPACE).svc,127.0.0.1');
});

test('a webhook with a provided certificate gets the name of its Secret and no flags for its own CA', async () => {
  const { args } = await readContainer(VARIANTS['provided certificate']!, 'countersign-webhook');
  assert.deepEqual(args.slice(4), ['--tls-secret=$(POD_NAMESPACE)/countersign-webhook-tls']);
});

test('both services get the policy flags that they enforce', async () => {
  const [signer, webhook] = await Promise.all(
    ['signer', 'webhook'].map(service => readContainer(VARIANTS['policy']!, `countersign-${service}`)),
  );
  const shared = ['--max-duration=720h', '--authorize-cluster-issuers=true', '--honour-name-constraints=false'];
  assert.deepEqual(webhook?.args.slice(3, 6), shared);
  assert.deepEqual(
    [signer?.args.slice(3, 6), signer?.args.slice(-12, -5)],
    [
      shared,
      [
        '--clamp-to-ca=true',
        '--refuse-expired-ca=true',
        '--backdate=5m',
        '--leaf-key-identifier=true',
        '--vault-servers=vault.example.com,*.vault.example.com:8200',
        '--root-in-chain=true',
        '--require-approval-policy=true',
      ],
    ],
  );
});

test('values set the flags, and extraArgs come last', async () => {
  const signer = await readContainer(VARIANTS['everything']!, 'csrs-signer');
  assert.deepEqual(signer.args.slice(1), [
    '--cluster-resource-namespace=cert-manager',
    '--log-level=debug',
    '--leader-elect=true',
    '--lease-duration=15s',
    '--issuer-status=never',
    '--trust-bundles=all',
    '--keep-retired-anchors=2184h',
    '--workers=9',
    '--pod-certificates=true',
    '--trust-domain=prod.example.com',
    '--cluster-domain=cluster.example.com',
    '--pod-max-duration=2184h',
    '--pod-backdate=4m',
    '--ca-annotation=false',
  ]);
  assert.deepEqual(signer.env, [POD_NAMESPACE, { name: 'NODE_OPTIONS', value: '--max-old-space-size=256' }]);
  const webhook = await readContainer(VARIANTS['everything']!, 'csrs-webhook');
  assert.deepEqual(webhook.args.slice(-2), ['--tls-secret=$(POD_NAMESPACE)/my-tls', '--drain-delay=5s']);
});

test('a signer that does not sign for pods gets no flags about them', async () => {
  const { args } = await readContainer(VARIANTS['no certificates for pods']!, 'countersign-signer');
  assert.deepEqual(args.slice(-2), ['--workers=32', '--pod-certificates=false']);
});

/** The kubelet sets the namespace of the pod, so it is correct even if a tool has moved the rendered objects. */
const POD_NAMESPACE = { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };

async function readImages(values: Values, prefix: string): Promise<readonly string[]> {
  const containers = ['signer', 'webhook'].map(service => readContainer(values, `${prefix}-${service}`));
  return (await Promise.all(containers)).map(({ image }) => image);
}

test('an image is named by its tag, by default the version of the application, or by its digest', async () => {
  const version = await readVersion();
  assert.deepEqual(await readImages(LEAST_VALUES, 'countersign'), [
    `countersign/signer:${version}`,
    `countersign/webhook:${version}`,
  ]);
  assert.deepEqual(await readImages(VARIANTS['everything']!, 'csrs'), [
    'registry.example.com:5000/a/signer:v2',
    `a/webhook@sha256:${'0'.repeat(64)}`,
  ]);
});

test('clientCaConfigMap mounts the ConfigMap, in addition to extraVolumes', async () => {
  const more = { name: 'more', emptyDir: {} };
  const values = { webhook: { clientCaConfigMap: 'api-server-ca', extraVolumes: [more] } };
  const { containers, volumes } = (await readDeployment(values, 'countersign-webhook')).template.spec;
  assert.deepEqual(volumes, [{ name: 'client-ca', configMap: { name: 'api-server-ca' } }, more]);
  assert.ok(containers[0]?.args.includes('--client-ca-file=/etc/countersign/client-ca/ca.crt'));
  const mount = { name: 'client-ca', mountPath: '/etc/countersign/client-ca', readOnly: true };
  assert.deepEqual((containers[0] as { readonly volumeMounts?: unknown }).volumeMounts, [mount]);
});
