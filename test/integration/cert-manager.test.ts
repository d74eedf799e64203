// cert-manager, Pebble and the TPP emulator as the tests of delegation run them: issuers of type ACME and Venafi become
// Ready, and cert-manager's webhook decides about CertificateRequests. No service runs here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Api } from '../support/api.ts';
import type { IssuerObject } from '../support/cluster.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { type CertManager, startCertManager } from '../support/issuers/cert-manager.ts';
import {
  ACME_DNS_SECRET,
  acmeDnsData,
  acmeSpec,
  openServingAuthority,
  type SecretContent,
  TPP_DATA,
  TPP_SECRET,
  venafiSpec,
} from '../support/issuers/issuer-specs.ts';
import { type Pebble, startPebble } from '../support/issuers/pebble.ts';
import { startTpp, type Tpp } from '../support/issuers/tpp-emulator.ts';
import { until } from '../support/until.ts';

const NAMESPACE = 'cert-manager';
const API = '/apis/cert-manager.io/v1';

let controlPlane: ControlPlane;
let api: Api;
let pebble: Pebble;
let tpp: Tpp;
let certManager: CertManager;
before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  pebble = await startPebble(controlPlane.dir);
  tpp = await startTpp(await openServingAuthority(controlPlane));
  await api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const options = { clusterResourceNamespace: NAMESPACE, nameserver: pebble.nameserver };
  certManager = await startCertManager(controlPlane, options);
});
after(async () => {
  await Promise.all([certManager?.stop(), pebble?.stop(), tpp?.close(), api?.close()]);
  await controlPlane?.stop();
});

async function isReady(name: string): Promise<boolean> {
  const { status } = await api.get<IssuerObject>(`${API}/clusterissuers/${name}`);
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

async function createSecret(name: string, stringData: SecretContent): Promise<void> {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
  await api.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, secret);
}

async function createClusterIssuer(name: string, spec: object): Promise<void> {
  await api.create(`${API}/clusterissuers`, {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name },
    spec,
  });
}

test('cert-manager registers with Pebble, and the ACME issuer becomes Ready', async () => {
  await createSecret(ACME_DNS_SECRET, acmeDnsData([]));
  await createClusterIssuer('acme', acmeSpec(pebble));
  await until(() => isReady('acme'));
});

test('cert-manager logs in to the TPP emulator, and the Venafi issuer becomes Ready', async () => {
  await createSecret(TPP_SECRET, TPP_DATA);
  await createClusterIssuer('tpp', venafiSpec(tpp));
  await until(() => isReady('tpp'));
});

test("cert-manager's webhook rejects a CertificateRequest without a PKCS#10 request", async () => {
  const spec = { request: 'eA==', issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'acme' } };
  const body = { apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata: { name: 'x' }, spec };
  const path = `${API}/namespaces/${NAMESPACE}/certificaterequests`;
  const { status, body: refusal } = await api.call<{ message: string }>({ method: 'POST', path, body });
  assert.equal(status, 403);
  assert.match(refusal.message, /^admission webhook "webhook\.cert-manager\.io" denied the request: spec\.request/);
});
