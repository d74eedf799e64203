// Switching between the certificate modes on a real API server: the webhook owns the CA in the configuration, so Helm
// needs --force-conflicts to replace it, and a rollback undoes an upgrade that failed halfway.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Api } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { CA_BUNDLE, CHART, GIVEN_CERTIFICATE, type KubeObject, NAMESPACE, RELEASE } from './helm.ts';

const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign-webhook';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/countersign-webhook`;
const OWN_CA = Buffer.from('-----BEGIN CERTIFICATE-----\nYg==\n-----END CERTIFICATE-----\n').toString('base64');

interface Configuration extends KubeObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

interface Deployment extends KubeObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: string[] }[] } };
  };
}

let controlPlane: ControlPlane;
let api: Api;

before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  assert.equal(await helm('install', RELEASE, CHART, '--create-namespace'), '');
  const configuration = await api.get<Configuration>(CONFIGURATION);
  const webhooks = configuration.webhooks.map(webhook => ({
    ...webhook,
    clientConfig: { ...webhook.clientConfig, caBundle: OWN_CA },
  }));
  const path = `${CONFIGURATION}?fieldManager=countersign-webhook`;
  await api.do({ method: 'PUT', path, body: { ...configuration, webhooks } });
});
after(async () => {
  await api.close();
  await controlPlane.stop();
});

/** The standard error of helm, or '' if it succeeded. */
async function helm(...args: string[]): Promise<string> {
  const { code, stderr } = await controlPlane.helm([...args, '--namespace', NAMESPACE]);
  return code === 0 ? '' : stderr;
}

async function readState(): Promise<object> {
  const [{ webhooks }, { spec }] = await Promise.all([
    api.get<Configuration>(CONFIGURATION),
    api.get<Deployment>(DEPLOYMENT),
  ]);
  const isManaged = spec.template.spec.containers[0]?.args.some(arg => arg.startsWith('--managed-certificate-secret='));
  return { caBundle: webhooks[0]?.clientConfig.caBundle, isManaged };
}

const GIVEN = Object.entries(GIVEN_CERTIFICATE).flatMap(([name, value]) => [
  '--set',
  `webhook.certificate.${name}=${value}`,
]);

test('helm upgrade does not replace the CA of the webhook, and a rollback undoes what it changed before it failed', async () => {
  const managed = { caBundle: OWN_CA, isManaged: true };
  assert.deepEqual(await readState(), managed);
  assert.match(await helm('upgrade', RELEASE, CHART, ...GIVEN), /conflict.*countersign-webhook.*caBundle/s);
  assert.equal(await helm('rollback', RELEASE), '');
  assert.deepEqual(await readState(), managed);
});

test('helm upgrade --force-conflicts replaces the CA of the webhook', async () => {
  assert.equal(await helm('upgrade', RELEASE, CHART, ...GIVEN, '--force-conflicts'), '');
  assert.deepEqual(await readState(), { caBundle: CA_BUNDLE, isManaged: false });
});

test('switching back to mode managed removes the provided CA, so that the webhook can write its own', async () => {
  assert.equal(await helm('upgrade', RELEASE, CHART, '--reset-values'), '');
  assert.deepEqual(await readState(), { caBundle: undefined, isManaged: true });
});
