// Users' Issuers survive when cert-manager is installed after Countersign and takes over the CRDs: an upgrade that
// would delete them is rejected before anything is changed, and the message says how to make it safe.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { stringify } from 'yaml';
import { Api } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { until } from '../support/until.ts';
import { CHART, NAMESPACE, RELEASE } from './helm.ts';

const CRDS = ['issuers.cert-manager.io', 'clusterissuers.cert-manager.io'];
const ISSUERS = '/apis/cert-manager.io/v1/namespaces/default/issuers';
const ISSUER = { name: 'precious', namespace: 'default' };
const REJECTION =
  /would delete the CRDs issuers\.cert-manager\.io and clusterissuers\.cert-manager\.io, .* Nothing was changed/;

let controlPlane: ControlPlane;
let api: Api;

before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
});
beforeEach(async () => {
  await controlPlane.helm(['uninstall', RELEASE, '--namespace', NAMESPACE]);
  await controlPlane.helm(['uninstall', 'cert-manager']);
  await kubectl('delete', 'crd', '--ignore-not-found', ...CRDS);
});
after(async () => {
  await api.close();
  await controlPlane.stop();
});

async function kubectl(...args: string[]): Promise<void> {
  const { code, stderr } = await controlPlane.kubectl(args);
  assert.equal(code, 0, stderr);
}

/** The standard error of helm, or '' if it succeeded. */
async function helm(command: 'install' | 'upgrade', ...args: string[]): Promise<string> {
  const options = command === 'install' ? ['--create-namespace'] : ['--reset-then-reuse-values'];
  const all = [command, RELEASE, CHART, '--namespace', NAMESPACE, ...options, ...args];
  const { code, stderr } = await controlPlane.helm(all);
  return code === 0 ? '' : stderr;
}

/** Installs a chart with the same CRDs. */
async function installCertManager(annotations: Readonly<Record<string, string>> = {}): Promise<void> {
  const chart = join(controlPlane.dir, 'cert-manager');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'cert-manager', version: '1.0.0' }));
  const crds = [crd('Issuer', 'Namespaced'), crd('ClusterIssuer', 'Cluster')];
  const objects = crds.map(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, annotations } }));
  await writeFile(join(chart, 'templates', 'crds.yaml'), objects.map(object => stringify(object)).join('---\n'));
  const { code, stderr } = await controlPlane.helm(['install', 'cert-manager', chart, '--take-ownership']);
  assert.equal(code, 0, stderr);
}

function crd(kind: string, scope: string) {
  const [singular, plural] = [kind.toLowerCase(), `${kind.toLowerCase()}s`];
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.cert-manager.io` },
    spec: {
      group: 'cert-manager.io',
      scope,
      names: { kind, plural, singular },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

async function createIssuer(): Promise<void> {
  const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: ISSUER, spec: { selfSigned: {} } };
  const create = () => api.create(ISSUERS, issuer);
  // A CRD is served a moment after its creation.
  await until(() =>
    create().then(
      () => true,
      () => false,
    ),
  );
}

/** Also checks that no CRD is being deleted, which would soon delete its objects. */
async function assertIssuerIsThere(): Promise<void> {
  for (const name of CRDS) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    const { metadata } = await api.get<{ metadata: { deletionTimestamp?: string } }>(path);
    assert.equal(metadata.deletionTimestamp, undefined);
  }
  await api.get(`${ISSUERS}/precious`);
}

for (const keep of ['true', 'false']) {
  test(`an upgrade that would delete CRDs owned by another chart is rejected, and is safe after the suggested command (crds.keep=${keep})`, async () => {
    assert.equal(await helm('install', '--set', `crds.keep=${keep}`), '');
    await createIssuer();
    await installCertManager();
    const rejection = await helm('upgrade');
    assert.match(rejection, REJECTION);
    assert.match(await helm('upgrade', '--set', 'crds.enabled=false'), REJECTION);
    await assertIssuerIsThere();
    await kubectl(...(/upgrade again: kubectl (.*)/.exec(rejection)?.[1] ?? '').split(' '));
    for (let time = 0; time < 2; time += 1) assert.equal(await helm('upgrade'), '');
    await assertIssuerIsThere();
  });
}

for (const enabled of ['true', 'false']) {
  test(`a release that never installed the CRDs can be upgraded without regard to those of another (crds.enabled=${enabled})`, async () => {
    await installCertManager();
    await createIssuer();
    assert.equal(await helm('install', '--set', `crds.enabled=${enabled}`), '');
    assert.equal(await helm('upgrade'), '');
    assert.equal(await helm('upgrade', '--set', 'crds.enabled=false'), '');
    await assertIssuerIsThere();
  });
}

test('the hand-over in docs/install.md is not rejected and loses no Issuer', async () => {
  assert.equal(await helm('install', '--set', 'crds.keep=false'), '');
  await createIssuer();
  assert.match(await helm('upgrade', '--set', 'crds.enabled=false'), REJECTION);
  assert.equal(await helm('upgrade', '--set', 'crds.keep=true'), '');
  assert.equal(await helm('upgrade', '--set', 'crds.enabled=false'), '');
  await installCertManager({ 'helm.sh/resource-policy': 'keep' });
  assert.equal(await helm('upgrade'), '');
  await assertIssuerIsThere();
});
