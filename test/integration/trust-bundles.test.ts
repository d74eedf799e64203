// Trust bundles on a real API server, with the RBAC of the chart: what is published, what rotations and administrators
// do to it, and the rules of the API server that the signer relies on.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../support/api.ts';
import { createExpiredRoot, createRequest, createRoot, openssl } from '../support/certificate-checks.ts';
import { Cluster, type KubeObject, secretData, startCluster } from '../support/cluster.ts';
import { startControlPlane } from '../support/control-plane/control-plane.ts';
import { install } from '../support/installation.ts';
import { readPki } from '../support/pki.ts';
import { issue, LEAF_USAGES } from '../support/requests.ts';
import { fingerprintOf } from '../support/trust-anchors.ts';

const BUNDLES = '/apis/certificates.k8s.io/v1/clustertrustbundles';
const LABELS = { 'app.kubernetes.io/managed-by': 'countersign', 'countersign.io/anchors': 'live' };
const KEYS = [readPki('keys/p256-root'), readPki('keys/p256')] as const;

interface Bundle extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly signerName: string; readonly trustBundle: string };
}

let cluster: Cluster;
let [old, next] = ['', ''];
before(async () => {
  [old, next] = await Promise.all([createRoot(KEYS[0], 'old'), createRoot(KEYS[1], 'next')]);
  cluster = await startCluster({ signerFlags: ['--issuer-status=always'] });
  await cluster.createNamespace('sandbox');
});
after(() => cluster?.stop());

const pathOf = (name: string) => `${BUNDLES}/issuers.cert-manager.io:sandbox.${name}:anchors`;

async function find(name: string): Promise<Bundle | undefined> {
  const { status, body } = await cluster.api.call<Bundle>({ path: pathOf(name) });
  return status === 200 ? body : undefined;
}

function whenBundle(name: string, isWanted: (bundle: Bundle) => boolean, withinMs?: number): Promise<Bundle> {
  const look = async () => {
    const bundle = await find(name);
    return bundle !== undefined && isWanted(bundle) ? bundle : undefined;
  };
  return cluster.eventually(`the bundle of ${name}`, look, withinMs);
}

const holds =
  (...pems: readonly string[]) =>
  ({ spec }: Bundle) =>
    spec.trustBundle === pems.join('');

async function createIssuer(name: string, certificate = old): Promise<string> {
  const signerName = await cluster.createCaIssuer({ namespace: 'sandbox', name }, { certificate, key: KEYS[0] });
  await cluster.whenReady({ namespace: 'sandbox', name });
  return signerName;
}

/** Resolves when no copy of the Secret is in use that is older: what was read is good for a second. */
async function replaceSecret(name: string, pair: Parameters<typeof secretData>[0]): Promise<void> {
  const data = Object.entries(secretData(pair)).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  await cluster.api.patch(`/api/v1/namespaces/sandbox/secrets/${name}`, { data: Object.fromEntries(data) });
  await sleep(1_100);
}

let requests = 0;
async function leafOf(signerName: string): Promise<string> {
  const name = `leaf-${requests++}`;
  const request = await createRequest(readPki('keys/p384'), name);
  return (await issue(cluster, { name, signerName, request, usages: LEAF_USAGES })).chain;
}

async function restartSigner(...flags: readonly string[]): Promise<void> {
  await Promise.all(cluster.installation.running('signer').map(({ child }) => child.stop(10_000)));
  await cluster.installation.start('signer', flags);
}

describe('a CA issuer', () => {
  test('a CA issuer has a bundle that its name, labels and signer name make known', async () => {
    const signerName = await createIssuer('first');
    const { metadata, spec } = await whenBundle('first', holds(old));
    assert.equal(metadata.name, 'issuers.cert-manager.io:sandbox.first:anchors');
    assert.deepEqual(metadata.labels, LABELS);
    assert.deepEqual(metadata.annotations, { 'countersign.io/current': JSON.stringify([fingerprintOf(old)]) });
    assert.equal(spec.signerName, signerName);
  });

  test('a CA issuer has one as a ClusterIssuer, too', async () => {
    await cluster.createCaIssuer({ name: 'everywhere' }, { certificate: old, key: KEYS[0] });
    const path = `${BUNDLES}/clusterissuers.cert-manager.io:everywhere:anchors`;
    const look = async () => ((await cluster.api.call({ path })).status === 200 ? true : undefined);
    assert.ok(await cluster.eventually('the bundle', look));
  });

  test('a CA issuer keeps the old root across a rotation and a restart of the signer, so that all its certificates verify', async () => {
    const signerName = await createIssuer('rotated');
    const first = await leafOf(signerName);
    await replaceSecret('rotated', { certificate: next, key: KEYS[1] });
    const second = await leafOf(signerName);
    // At once, since it was published before the certificate was signed.
    const { metadata, spec } = (await find('rotated'))!;
    assert.equal(spec.trustBundle, next + old);
    assert.deepEqual(Object.keys(JSON.parse(metadata.annotations?.['countersign.io/retired'] ?? '')), [
      fingerprintOf(old),
    ]);
    for (const leaf of [first, second]) {
      const files = { leaf, bundle: spec.trustBundle };
      assert.match(await openssl(['verify', '-CAfile', 'bundle', 'leaf'], files), /leaf: OK/);
    }
    await restartSigner();
    await leafOf(signerName);
    assert.equal((await find('rotated'))?.metadata.resourceVersion, metadata.resourceVersion);
  });

  test('announces the next root that is in ca.crt, within the minute in which issuers are looked at', async () => {
    await createIssuer('announcing');
    await whenBundle('announcing', holds(old));
    await replaceSecret('announcing', { certificate: old, key: KEYS[0], root: old + next });
    // A request makes the signer look at once.
    await leafOf('issuers.cert-manager.io/sandbox.announcing');
    assert.ok(holds(old, next)((await find('announcing'))!));
  });

  test('a CA issuer has its bundle repaired when others edit it', async () => {
    await createIssuer('edited');
    await whenBundle('edited', holds(old));
    await cluster.api.patch(pathOf('edited'), { spec: { trustBundle: old + next } });
    await whenBundle('edited', holds(old), 3_000);
    await cluster.api.patch(pathOf('edited'), { metadata: { labels: { 'countersign.io/anchors': null } } });
    await whenBundle('edited', ({ metadata }) => metadata.labels['countersign.io/anchors'] === 'live', 3_000);
  });

  test('a CA issuer has its bundle created again without retired roots when an administrator deletes it', async () => {
    const signerName = await createIssuer('distrusted');
    await whenBundle('distrusted', holds(old));
    await replaceSecret('distrusted', { certificate: next, key: KEYS[1] });
    await leafOf(signerName);
    await whenBundle('distrusted', holds(next, old));
    await cluster.api.remove(pathOf('distrusted'));
    await whenBundle('distrusted', holds(next), 3_000);
  });

  test('a CA issuer leaves its bundle when it is deleted', async () => {
    await createIssuer('deleted');
    await whenBundle('deleted', holds(old));
    await cluster.kubectl(['delete', 'issuer', 'deleted', '-n', 'sandbox']);
    const isOrphan = ({ metadata }: Bundle) => metadata.annotations?.['countersign.io/orphaned-since'] !== undefined;
    assert.ok(holds(old)(await whenBundle('deleted', isOrphan, 3_000)));
  });

  test('a CA issuer has a bundle in the mode annotated only when it asks for one, and loses its claim to it without', async () => {
    await restartSigner('--trust-bundles=annotated');
    await createIssuer('asking');
    const annotation = 'countersign.io/publish-trust-bundle';
    assert.equal(await find('asking'), undefined);
    await cluster.kubectl(['annotate', 'issuer', 'asking', '-n', 'sandbox', `${annotation}=true`]);
    await whenBundle('asking', holds(old));
    await cluster.kubectl(['annotate', 'issuer', 'asking', '-n', 'sandbox', `${annotation}-`]);
    const isOrphan = ({ metadata }: Bundle) => metadata.annotations?.['countersign.io/orphaned-since'] !== undefined;
    await whenBundle('asking', isOrphan);
  });

  test('a CA issuer has none when none are published', async () => {
    await restartSigner('--trust-bundles=off');
    const signerName = await createIssuer('silent');
    await leafOf(signerName);
    assert.equal(await find('silent'), undefined);
  });
});

describe('the API server', () => {
  const signerName = 'issuers.cert-manager.io/sandbox.rules';
  const body = (name: string, trustBundle = old) => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'ClusterTrustBundle',
    metadata: { name },
    spec: { signerName, trustBundle },
  });
  const create = (name: string, trustBundle?: string, as?: { readonly user: string }) =>
    cluster.api.call<{ message: string }>({
      method: 'POST',
      path: BUNDLES,
      body: body(name, trustBundle),
      ...(as && { as }),
    });
  const NAME = 'issuers.cert-manager.io:sandbox.rules:anchors';

  test('demands attest of those who may write bundles, and not of those who delete them', async () => {
    const verbs = '--verb=get,create,patch,delete';
    await cluster.kubectl(['create', 'clusterrole', 'writer', verbs, '--resource=clustertrustbundles']);
    await cluster.kubectl(['create', 'clusterrolebinding', 'writer', '--clusterrole=writer', '--user=writer']);
    const as = { user: 'writer' };
    const look = async () => {
      const answer = await create(NAME, old, as);
      // RBAC takes a moment to know of the binding.
      return answer.body.message.includes('attest') ? answer : undefined;
    };
    const refused = await cluster.eventually('the refusal', look);
    assert.equal(refused.status, 403);
    assert.match(refused.body.message, /user not permitted to attest for signerName "issuers\.cert-manager\.io/);
    assert.equal((await create(NAME)).status, 201);
    const path = `${BUNDLES}/${NAME}`;
    const patch = { method: 'PATCH', path, body: { spec: { trustBundle: next } }, as } as const;
    assert.equal((await cluster.api.call(patch)).status, 403);
    assert.equal((await cluster.api.call({ method: 'DELETE', path, as })).status, 200);
  });

  for (const [what, name, trustBundle, expected] of [
    [
      'a name without the signer name',
      'rules:anchors',
      undefined,
      /must be named with prefix issuers\.cert-manager\.io:sandbox\.rules:/,
    ],
    ['an empty bundle', NAME, () => '', /at least one trust anchor must be provided/],
    ['a certificate twice', NAME, () => old + old, /duplicate trust anchor/],
    ['a certificate without the CA flag', NAME, () => readPki('certificates/not-ca'), /does not have the CA bit set/],
    ['more than 1 MiB', NAME, () => `${'#'.repeat(1_048_577)}\n${old}`, /Too long|must be .*bytes|too long/],
  ] as const) {
    test(`the API server refuses ${what}`, async () => {
      const { status, body: answer } = await create(name, trustBundle?.());
      assert.equal(status, 422);
      assert.match(answer.message, expected);
    });
  }

  test('the API server takes an expired certificate, keeps the signer name of a bundle, and deletes only the version that is meant', async () => {
    const expired = await createExpiredRoot(KEYS[0], 'ended');
    assert.equal((await create(NAME, expired)).status, 201);
    const path = `${BUNDLES}/${NAME}`;
    const other = { spec: { signerName: 'issuers.cert-manager.io/sandbox.other' } };
    const changed = await cluster.api.call<{ message: string }>({ method: 'PATCH', path, body: other });
    assert.equal(changed.status, 422);
    const preconditions = { resourceVersion: '1' };
    const removal = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
    assert.equal((await cluster.api.call({ method: 'DELETE', path, body: removal })).status, 409);
  });
});

test('a signer on an API server without trust bundles is ready, signs, and logs that once', async () => {
  const flag = '--feature-gates=ClusterTrustBundle=false,ClusterTrustBundleProjection=false';
  const controlPlane = await startControlPlane({ apiServerFlags: [flag] });
  const installation = await install(controlPlane);
  const without = new Cluster(controlPlane, installation, await Api.fromKubeconfig(controlPlane.adminKubeconfig));
  try {
    await without.createNamespace('sandbox');
    const place = { namespace: 'sandbox', name: 'my-ca' };
    const signerName = await without.createCaIssuer(place, { certificate: old, key: KEYS[0] });
    await without.whenReady(place);
    const request = await createRequest(readPki('keys/p384'), 'leaf');
    await issue(without, { name: 'leaf', signerName, request, usages: LEAF_USAGES });
    const log = await readFile(installation.running('signer')[0]!.child.logPath, 'utf8');
    const lines = log.split('\n').filter(line => line.includes('"clustertrustbundles"'));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0]!, /resource not served by the API server/);
  } finally {
    await without.stop();
  }
});
