// A release on a real API server from install to uninstall: it leaves cert-manager's CRDs alone, keeps what the webhook
// wrote with every way to apply the chart, and leaves nothing behind that blocks requests.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { Api, type ApiCall } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { CSRS, csrManifest } from '../support/requests.ts';
import {
  CHART,
  isTestHook,
  type KubeObject,
  NAMESPACE,
  parseObjects,
  RELEASE,
  renderText,
  type Values,
} from './helm.ts';

const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign-webhook';
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/countersign-webhook-ca`;
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CA = Buffer.from('-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n').toString('base64');

interface Configuration extends Versioned {
  readonly webhooks: readonly {
    readonly timeoutSeconds: number;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

interface Versioned extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

let controlPlane: ControlPlane;
let api: Api;
let foreignCrd: Versioned;

before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  foreignCrd = await api.create(CRDS, crdOfCertManager());
  await helm({}, 'install', RELEASE, CHART, '--create-namespace');
});
after(async () => {
  await api.close();
  await controlPlane.stop();
});

function crdOfCertManager(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'issuers.cert-manager.io',
      annotations: { 'meta.helm.sh/release-name': 'cert-manager', 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group: 'cert-manager.io',
      scope: 'Namespaced',
      names: { kind: 'Issuer', plural: 'issuers', singular: 'issuer' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
}

async function helm(values: Values, ...args: string[]): Promise<void> {
  const command = [...args, '--namespace', NAMESPACE];
  const withValues = ['install', 'upgrade'].includes(args[0] ?? '') ? [...command, '--values', '-'] : command;
  const { code, stderr } = await controlPlane.helm(withValues, { input: JSON.stringify(values) });
  assert.equal(code, 0, stderr);
}

async function kubectlApply(values: Values, ...flags: string[]): Promise<void> {
  // Without the CRDs of another owner and the objects of `helm test`.
  const objects = parseObjects(await renderText({ ...values, crds: { enabled: false } }));
  const input = objects
    .filter(object => !isTestHook(object))
    .map(object => stringify(object))
    .join('---\n');
  const { code, stderr } = await controlPlane.kubectl(['apply', ...flags, '-f', '-'], { input });
  assert.equal(code, 0, stderr);
}

/** As the webhook's ServiceAccount, so that RBAC applies. */
async function asWebhook<T>(call: ApiCall): Promise<T> {
  const account = ['create', 'token', 'countersign-webhook', '--namespace', NAMESPACE];
  const { stdout } = await controlPlane.kubectl(account);
  return api.do<T>({ ...call, as: { token: stdout.trim() } });
}

async function readState(): Promise<object> {
  const [configuration, secret] = await Promise.all([
    api.get<Configuration>(CONFIGURATION),
    api.get<Versioned>(SECRET),
  ]);
  const [webhook] = configuration.webhooks;
  return { timeout: webhook?.timeoutSeconds, caBundle: webhook?.clientConfig.caBundle, data: secret.data };
}

test('an installation alongside cert-manager leaves its CRD unchanged and adds the missing one', async () => {
  assert.deepEqual(
    await api.get<Versioned>(`${CRDS}/issuers.cert-manager.io`).then(withoutStatus),
    withoutStatus(foreignCrd),
  );
  const { metadata } = await api.get<KubeObject>(`${CRDS}/clusterissuers.cert-manager.io`);
  assert.equal(metadata.annotations?.['meta.helm.sh/release-name'], RELEASE);
});

function withoutStatus(crd: Versioned): object {
  const { spec, metadata } = crd as Versioned & { spec: unknown };
  const { annotations, labels } = metadata;
  return { spec, annotations, labels };
}

test('the API server rejects requests for issuers until the webhook has written its CA', async () => {
  const input = csrManifest({ name: 'too-early', signerName: 'clusterissuers.cert-manager.io/any' });
  const { status, body } = await api.call<{ message: string }>({ method: 'POST', path: CSRS, body: input });
  assert.equal(status, 500, body.message);
  assert.match(body.message, /failed calling webhook "requests.countersign.io"/);
});

test('the webhook may write its CA to its Secret and its configuration', async () => {
  const secret = await asWebhook<Versioned>({ path: SECRET });
  const data = { 'ca.crt': CA };
  const by = 'fieldManager=countersign-webhook';
  await asWebhook({ method: 'PUT', path: `${SECRET}?${by}`, body: { ...secret, data } });
  const configuration = await asWebhook<Configuration>({ path: CONFIGURATION });
  const webhooks = configuration.webhooks.map(webhook => ({
    ...webhook,
    clientConfig: { ...webhook.clientConfig, caBundle: CA },
  }));
  await asWebhook({ method: 'PUT', path: `${CONFIGURATION}?${by}`, body: { ...configuration, webhooks } });
  assert.deepEqual(await readState(), { timeout: 5, caBundle: CA, data });
});

test('the webhook may not write other configurations, or list or create Secrets in its namespace', async () => {
  const other = CONFIGURATION.replace('countersign-webhook', 'other');
  await assert.rejects(asWebhook({ path: other }), /403/);
  await assert.rejects(asWebhook({ method: 'PATCH', path: CONFIGURATION, body: {} }), /403/);
  const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  await assert.rejects(asWebhook({ path: secrets }), /403/);
  const annotations = { 'kubernetes.io/service-account.name': 'countersign-signer' };
  const token = { metadata: { name: 'token', annotations }, type: 'kubernetes.io/service-account-token' };
  await assert.rejects(asWebhook({ method: 'POST', path: secrets, body: token }), /403/);
});

const waiting = (timeoutSeconds: number) => ({ webhook: { timeoutSeconds } });

/** Each sets a different timeout, which proves that it was applied. */
const APPLIERS: readonly { readonly name: string; readonly timeout: number; readonly run: () => Promise<void> }[] = [
  { name: 'helm upgrade', timeout: 6, run: () => helm(waiting(6), 'upgrade', RELEASE, CHART) },
  {
    name: 'helm upgrade without server-side apply',
    timeout: 7,
    run: () => helm(waiting(7), 'upgrade', RELEASE, CHART, '--server-side=false'),
  },
  {
    name: 'helm upgrade with server-side apply and --force-conflicts',
    timeout: 8,
    run: () => helm(waiting(8), 'upgrade', RELEASE, CHART, '--server-side=true', '--force-conflicts'),
  },
  { name: 'helm rollback', timeout: 5, run: () => helm({}, 'rollback', RELEASE, '1') },
  {
    name: 'kubectl apply, as used by Argo CD by default',
    timeout: 9,
    run: () => kubectlApply(waiting(9)),
  },
  {
    name: 'server-side apply, as used by Flux and Argo CD',
    timeout: 10,
    run: () => kubectlApply(waiting(10), '--server-side', '--force-conflicts', '--field-manager=kustomize-controller'),
  },
];

for (const { name, timeout, run } of APPLIERS) {
  test(`the CA that the webhook wrote survives ${name}`, async () => {
    await run();
    assert.deepEqual(await readState(), { timeout, caBundle: CA, data: { 'ca.crt': CA } });
  });
}

test('a repeated server-side apply changes nothing', async () => {
  const readVersions = async () =>
    Promise.all([CONFIGURATION, SECRET].map(async path => (await api.get<Versioned>(path)).metadata.resourceVersion));
  const versions = await readVersions();
  await kubectlApply(waiting(10), '--server-side', '--force-conflicts', '--field-manager=kustomize-controller');
  assert.deepEqual(await readVersions(), versions);
});

test('helm upgrade recreates a deleted Secret, without data', async () => {
  await api.do({ method: 'DELETE', path: SECRET });
  // Otherwise the fields that the tests above took over would conflict.
  await helm(waiting(10), 'upgrade', RELEASE, CHART, '--server-side=true', '--force-conflicts');
  assert.equal((await api.get<Versioned>(SECRET)).data, undefined);
});

test('helm upgrade rejects a new nameOverride before the Services lose their pods', async () => {
  const selectors = ['get', 'services', '--namespace', NAMESPACE, '-o', 'jsonpath={.items[*].spec.selector}'];
  const selected = await controlPlane.kubectl(selectors);
  const override = ['--reuse-values', '--set', 'nameOverride=sign', '--force-conflicts', '--namespace', NAMESPACE];
  const { code, stderr } = await controlPlane.helm(['upgrade', RELEASE, CHART, ...override]);
  assert.equal(code, 1);
  assert.deepEqual(await controlPlane.kubectl(selectors), selected);
  assert.match(stderr, /nameOverride cannot change from "countersign" to "sign" .* Nothing was changed/);
});

test('helm upgrade rejects a missing namespace before the signer loses its permission to read Secrets', async () => {
  const rights = ['get', 'clusterrole', 'countersign-signer', '-o', 'jsonpath={.rules}'];
  const granted = await controlPlane.kubectl(rights);
  assert.match(granted.stdout, /"secrets"/);
  for (const [value, set] of [
    ['signer.secretNamespaces', 'signer.secretNamespaces=["missing"]'],
    ['referencers', 'referencers=[{"namespace":"missing","issuer":"ca","subjects":[{"kind":"User","name":"jane"}]}]'],
    ['vaultServiceAccounts', 'vaultServiceAccounts=[{"namespace":"missing","names":["vault-issuer"]}]'],
  ] as const) {
    const flags = ['--reuse-values', '--set-json', set, '--force-conflicts', '--namespace', NAMESPACE];
    const { code, stderr } = await controlPlane.helm(['upgrade', RELEASE, CHART, ...flags]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`namespace "missing" in ${value} does not exist. Nothing was changed.`), stderr);
  }
  assert.deepEqual(await controlPlane.kubectl(rights), granted);
});

test('helm install rejects a second release before it creates anything, and names the first', async () => {
  const elsewhere = ['--namespace', 'elsewhere', '--create-namespace'];
  const { code, stderr } = await controlPlane.helm(['install', 'other', CHART, ...elsewhere]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /already installed by release countersign in namespace countersign-system .* Nothing was installed.* Upgrade the/,
  );
  const { stdout } = await controlPlane.kubectl(['get', 'namespaces,clusterroles', '-o', 'name']);
  assert.doesNotMatch(stdout, /elsewhere|other/);
});

test('helm uninstall leaves only the CRDs, and requests are admitted again', async () => {
  await helm({}, 'uninstall', RELEASE);
  const { stdout: kinds } = await controlPlane.kubectl(['api-resources', '--verbs=list', '-o', 'name']);
  const selector = ['-l', 'app.kubernetes.io/part-of=countersign', '--all-namespaces', '-o', 'name'];
  const { stdout } = await controlPlane.kubectl(['get', kinds.trim().split('\n').join(','), ...selector]);
  assert.equal(stdout.trim(), 'customresourcedefinition.apiextensions.k8s.io/clusterissuers.cert-manager.io');
  const input = csrManifest({ name: 'admitted', signerName: 'clusterissuers.cert-manager.io/any' });
  await api.create(CSRS, input);
});
