// A tool that knows only the rendered objects, such as kustomize, may move the output of `helm template` to another
// namespace: everything that depends on the namespace moves too, and it works with a real API server and both services.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { Api, type Refusal } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import { kustomize } from '../support/kustomize.ts';
import { readPki } from '../support/pki.ts';
import { type Deployment, startPod } from '../support/pod-process.ts';
import { approvalBody, CSRS, type CsrObject, csrManifest } from '../support/requests.ts';
import type { RunningService } from '../support/service-process.ts';
import { until } from '../support/until.ts';
import { findObject, isTestHook, type KubeObject, NAMESPACE, parseObjects, renderText, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

const MOVED = 'moved';

/** Moves the rendered chart to the namespace MOVED. */
async function move(values: Values): Promise<readonly KubeObject[]> {
  const { code, stdout, stderr } = await kustomize(await renderText(values), { namespace: MOVED });
  assert.equal(code, 0, stderr);
  return parseObjects(stdout);
}

/** The paths of all fields of an object that contain a text. */
function placesOf(text: string, part: unknown, at: string): string[] {
  if (typeof part === 'string') return part.includes(text) ? [`${at}: ${part}`] : [];
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) => placesOf(text, value, `${at}.${key}`));
}

/** Variants that name other namespaces than the release's, or a ServiceAccount that is not rendered. */
const ELSEWHERE = new Set([
  'Secrets of two namespaces',
  'Vault by ServiceAccounts',
  'referencers',
  'other ServiceAccounts',
]);

for (const [name, values] of Object.entries(VARIANTS).filter(([variant]) => !ELSEWHERE.has(variant))) {
  test(`no moved object contains the original namespace: ${name}`, async () => {
    const objects = await move(values);
    assert.deepEqual(
      objects.flatMap(object => placesOf(NAMESPACE, object, `${object.kind} ${object.metadata.name}`)),
      [],
    );
  });
}

test('kustomize rejects roles in several namespaces, because it would move all of them to one', async () => {
  const rendered = await renderText(VARIANTS['Secrets of two namespaces']!);
  const { code, stderr } = await kustomize(rendered, { namespace: MOVED });
  assert.equal(code, 1);
  assert.match(stderr, /namespace transformation produces ID conflict/);
});

test('kustomize moves the roles of referencers away from their Issuers, so they must be rendered separately', async () => {
  const role = findObject(await move(VARIANTS['referencers']!), 'Role', 'countersign-referencer:my-issuer');
  assert.equal(role.metadata.namespace, MOVED);
});

describe('the chart, moved by kustomize and applied to a real API server', () => {
  const SANDBOX = 'sandbox';
  const CLUSTER_ISSUER = 'clusterissuers.cert-manager.io/ca';
  let controlPlane: ControlPlane;
  let api: Api;
  const running: RunningService[] = [];

  before(async () => {
    controlPlane = await startControlPlane();
    api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
    const port = await freePort();
    const objects = await move({ webhook: { url: `https://127.0.0.1:${port}/validate`, port } });
    await apply([namespaceNamed(MOVED), namespaceNamed(SANDBOX)]);
    await apply(objects.filter(object => !isTestHook(object)));
    for (const service of ['webhook', 'signer']) {
      const deployment = findObject(objects, 'Deployment', `countersign-${service}`);
      running.push(await startPod(controlPlane, deployment as KubeObject & Deployment));
    }
  });
  after(async () => {
    await Promise.all(running.map(({ child }) => child.stop(10_000)));
    await api?.close();
    await controlPlane?.stop();
  });

  const namespaceNamed = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

  async function apply(objects: readonly object[]): Promise<void> {
    const input = objects.map(object => stringify(object)).join('---\n');
    const { code, stderr } = await controlPlane.kubectl(['apply', '-f', '-'], { input });
    assert.equal(code, 0, stderr);
  }

  test('the services of the moved chart start, and a CSR for a ClusterIssuer gets its certificate', async () => {
    const stringData = { 'tls.crt': readPki('certificates/root'), 'tls.key': readPki('keys/p256-root') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ca', namespace: MOVED }, stringData };
    const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'ca' } };
    await apply([secret, { ...issuer, spec: { ca: { secretName: 'ca' } } }]);
    const manifest = csrManifest({ name: 'issued', signerName: CLUSTER_ISSUER });
    // The API server takes a moment to notice the webhook's CA.
    await until(async () => (await api.call({ method: 'POST', path: CSRS, body: manifest })).status === 201);
    await api.patch(`${CSRS}/issued/approval`, approvalBody());
    await until(async () => (await api.get<CsrObject>(`${CSRS}/issued`)).status?.certificate !== undefined);
  });

  test('the moved webhook denies a requester who may not use an Issuer', async () => {
    const manifest = csrManifest({ name: 'denied', signerName: `issuers.cert-manager.io/${SANDBOX}.ca` });
    const create = { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create'] };
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const metadata = { name: 'csr-requester' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name };
    await apply([
      { apiVersion, kind: 'ClusterRole', metadata, rules: [create] },
      { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects: [{ kind: 'User', name: 'mallory' }] },
    ]);
    const call = { method: 'POST', path: CSRS, body: manifest, as: { user: 'mallory' } } as const;
    await until(async () => (await api.call<Refusal>(call)).body.message.includes('webhook "requests.countersign.io"'));
    const { status, body } = await api.call<Refusal>(call);
    assert.equal(status, 403);
    assert.match(body.message, /Requester may not reference Namespaced Issuer sandbox\/ca/);
  });

  test('the Lease and the CA of the webhook are in the namespace of the moved pods', async () => {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${MOVED}/leases/countersign-signer`;
    await api.get(lease);
    const { data } = await api.get<{ data?: object }>(`/api/v1/namespaces/${MOVED}/secrets/countersign-webhook-ca`);
    assert.ok(data !== undefined && 'ca.crt' in data, JSON.stringify(Object.keys(data ?? {})));
  });
});
