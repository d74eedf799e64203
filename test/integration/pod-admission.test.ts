// What the admission policies for pods allow, deny and warn about, on a real API server, as the chart installs them:
// the reason reaches the user when the pod or its workload is created, and no webhook is in the way of a pod.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiAnswer, Refusal } from '../support/api.ts';
import { type Cluster, type KubeObject, startCluster } from '../support/cluster.ts';
import { createNode, createPod, type PodInput, podManifest, tryRequest } from '../support/pods.ts';

const NAMESPACE = 'team';
const MINE = 'issuers.cert-manager.io/sandbox.mine';
const OTHER = 'issuers.cert-manager.io/sandbox.other';
const PUBLIC = 'clusterissuers.cert-manager.io/public';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  for (const namespace of ['sandbox', NAMESPACE]) await cluster.createNamespace(namespace);
  await createNode(cluster);
  await cluster.createReferencerRole('sandbox', 'mine', 'mine');
  await cluster.kubectl([
    ...['create', 'rolebinding', 'mine', '-n', 'sandbox', '--role=mine'],
    `--serviceaccount=${NAMESPACE}:web`,
  ]);
  await createPod(cluster, pod('accounts', []));
  for (const serviceAccountName of ['other', 'any']) {
    await createPod(cluster, { ...pod(`accounts-of-${serviceAccountName}`, []), serviceAccountName });
  }
  const anyIssuer = ['--resource=clusterissuers.cert-manager.io', '--resource-name=*'];
  await cluster.kubectl(['create', 'clusterrole', 'any', '--verb=reference', ...anyIssuer]);
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'any',
    '--clusterrole=any',
    `--serviceaccount=${NAMESPACE}:any`,
  ]);
  await cluster.eventually('the policies are in force', async () => {
    const { status } = await tryPod({ ...pod('probe', [MINE]), serviceAccountName: 'other' });
    return status === 403 ? true : undefined;
  });
});
after(() => cluster?.stop());

function pod(name: string, signerNames: readonly string[]): PodInput {
  return { namespace: NAMESPACE, name, signerNames, serviceAccountName: 'web' };
}

function tryPod(input: PodInput, sources: object = {}): Promise<ApiAnswer<KubeObject & Refusal>> {
  const manifest = podManifest(input);
  const [first] = manifest.spec.volumes[0]!.projected.sources;
  Object.assign(first?.podCertificate ?? {}, sources);
  const path = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;
  return cluster.api.call({ method: 'POST', path, body: manifest });
}

function assertDenied({ status, body }: ApiAnswer<Refusal>, code: number, message: RegExp): void {
  assert.deepEqual([status, message.test(body.message)], [code, true], body.message);
}

describe('a pod', () => {
  test('a pod is created when its ServiceAccount may reference the issuer', async () => {
    assert.equal((await tryPod(pod('granted', [MINE]))).status, 201);
  });

  test('a pod is denied when its ServiceAccount may not, and the message says what is missing', async () => {
    const denied = await tryPod({ ...pod('denied', [MINE]), serviceAccountName: 'other' });
    assertDenied(
      denied,
      403,
      /ServiceAccount team\/other may not reference the issuer of issuers\.cert-manager\.io\/sandbox\.mine: it cannot reference resource "signers" in API group "cert-manager\.io" with the name "mine" in the namespace "sandbox" \(DeniedReference\)/,
    );
  });

  test('a pod is denied for the second of two issuers alone', async () => {
    assertDenied(
      await tryPod(pod('second', [MINE, OTHER])),
      403,
      /the issuer of issuers\.cert-manager\.io\/sandbox\.other/,
    );
  });

  test('a pod needs the permission for a ClusterIssuer as well, since nobody approves its request', async () => {
    assertDenied(
      await tryPod(pod('cluster', [PUBLIC])),
      403,
      /cannot reference resource "clusterissuers" .* with the name "public" \(Denied/,
    );
    const rule = '--resource=clusterissuers.cert-manager.io';
    await cluster.kubectl(['create', 'clusterrole', 'public', '--verb=reference', rule, '--resource-name=public']);
    await cluster.kubectl([
      ...['create', 'clusterrolebinding', 'public', '--clusterrole=public'],
      `--serviceaccount=${NAMESPACE}:web`,
    ]);
    await cluster.eventually('permitted', async () =>
      (await tryPod(pod('cluster', [PUBLIC]))).status === 201 ? true : undefined,
    );
  });

  test('a pod is denied for a signer name that can name no issuer', async () => {
    const malformed = 'issuers.cert-manager.io/nodot';
    assertDenied(
      await tryPod(pod('malformed', [malformed])),
      422,
      /"issuers\.cert-manager\.io\/nodot" can name no issuer/,
    );
  });

  test('a pod is denied for an annotation that Countersign does not know', async () => {
    const userAnnotations = { 'csi.cert-manager.io/duration': '1h' };
    assertDenied(
      await tryPod(pod('annotated', [MINE]), { userAnnotations }),
      422,
      /unknown key "csi\.cert-manager\.io\/duration"/,
    );
  });

  test('a pod is denied for an issuer with a longer name than any object has', async () => {
    const tooLong = `clusterissuers.cert-manager.io/${'y.'.repeat(126)}yy`;
    assertDenied(await tryPod({ ...pod('long', [tooLong]), serviceAccountName: 'any' }), 422, /can name no issuer/);
    assert.equal((await tryPod({ ...pod('long', [tooLong.slice(0, -1)]), serviceAccountName: 'any' })).status, 201);
  });

  const DNS_NAMES = 'pods.countersign.io/dns-names';
  const COMMON_NAME = 'pods.countersign.io/common-name';
  const variables = `\${POD_NAME}-x.$POD_NAMESPACE.svc,*.\${SERVICE_ACCOUNT_NAME}.a, $POD_UID`;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `a${index}.team.svc`).join();

  for (const [what, userAnnotations] of Object.entries({
    variables: { [DNS_NAMES]: variables },
    'one of its names as the common name': { [DNS_NAMES]: ' Web.team.svc ,\nb', [COMMON_NAME]: 'web.TEAM.svc' },
    'no names': { [DNS_NAMES]: ' ', [COMMON_NAME]: '' },
    '64 names': { 'csi.cert-manager.io/dns-names': many(64) },
  })) {
    test(`a pod is created with annotations that have ${what}`, async () => {
      const { status, body } = await tryPod(pod('named', [MINE]), { userAnnotations });
      assert.equal(status, 201, body.message);
    });
  }

  for (const [what, userAnnotations, message] of [
    ['an underscore', { [DNS_NAMES]: 'a.team.svc,a_b.team.svc' }, /"a_b\.team\.svc", which is not a DNS name/],
    ['an empty name', { [DNS_NAMES]: 'a.team.svc,' }, /"", which is not a DNS name/],
    ['an IP address', { [DNS_NAMES]: '10.0.0.1' }, /"10\.0\.0\.1", which is not a DNS name/],
    ['an unknown variable', { [DNS_NAMES]: `\${POD_IP}.team.svc` }, /which is not a DNS name/],
    ['an unknown variable without braces', { [DNS_NAMES]: '$POD_NAMEs.team.svc' }, /which is not a DNS name/],
    ['65 names', { [DNS_NAMES]: many(65) }, /more than 64 DNS names/],
    ['a common name alone', { [COMMON_NAME]: 'a.team.svc' }, /common name without DNS names/],
    [
      'a key twice',
      { [DNS_NAMES]: 'a', 'csi.cert-manager.io/dns-names': 'a' },
      /both "pods\.countersign\.io\/dns-names" and/,
    ],
  ] as const) {
    test(`a pod is denied for annotations that the signer would deny for good: ${what}`, async () => {
      assertDenied(await tryPod(pod('misnamed', [MINE]), { userAnnotations }), 422, message);
    });
  }

  test('a pod may have certificates of at most eight issuers', async () => {
    const named = (count: number) =>
      Array.from({ length: count }, (_, index) => `issuers.cert-manager.io/sandbox.i${index}`);
    assertDenied(await tryPod(pod('nine', named(9))), 422, /at most 8 issuers/);
    assertDenied(await tryPod(pod('eight', named(8))), 403, /sandbox\.i0/);
  });

  test("that names no issuer, or another signer, is nobody's business here", async () => {
    assert.equal((await tryPod({ ...pod('plain', []), serviceAccountName: 'other' })).status, 201);
    assert.equal(
      (await tryPod({ ...pod('foreign', ['example.com/signer']), serviceAccountName: 'other' })).status,
      201,
    );
  });
});

describe('a workload', () => {
  const manifest = podManifest({ ...pod('template', [MINE]), serviceAccountName: 'other' });
  const { nodeName: _, ...template } = manifest.spec;
  const labels = { app: 'app' };
  const podTemplate = { metadata: { labels }, spec: template };
  const job = { template: { spec: { ...template, restartPolicy: 'Never' } } };
  const workloads = {
    deployments: ['apps', 'Deployment', { selector: { matchLabels: labels }, template: podTemplate }],
    statefulsets: [
      'apps',
      'StatefulSet',
      { serviceName: 'app', selector: { matchLabels: labels }, template: podTemplate },
    ],
    daemonsets: ['apps', 'DaemonSet', { selector: { matchLabels: labels }, template: podTemplate }],
    jobs: ['batch', 'Job', job],
    cronjobs: ['batch', 'CronJob', { schedule: '0 0 * * *', jobTemplate: { spec: job } }],
  } as const;

  for (const [resource, [group, kind, workload]] of Object.entries(workloads)) {
    test(`of the kind ${kind} is created with a warning`, async () => {
      const body = { apiVersion: `${group}/v1`, kind, metadata: { name: 'app' }, spec: workload };
      const path = `/apis/${group}/v1/namespaces/${NAMESPACE}/${resource}`;
      const { status, warnings } = await cluster.api.call({ method: 'POST', path, body });
      assert.equal(status, 201);
      assert.match(warnings.join('\n'), /ServiceAccount team\/other may not reference the issuer of/);
    });
  }

  test('a workload is scaled without a warning', async () => {
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/app`;
    const { warnings } = await cluster.api.call({ method: 'PATCH', path, body: { spec: { replicas: 2 } } });
    assert.deepEqual(warnings, []);
  });
});

test('a PodCertificateRequest for an issuer is created by the kubelet of its node alone', async () => {
  const granted = pod('asked-for', [MINE]);
  await createPod(cluster, granted);
  const admin = { user: 'admin', groups: ['system:masters'] };
  assertDenied(
    await tryRequest(cluster, granted, { signerName: MINE }, admin),
    403,
    /Only the kubelet of its node may create/,
  );
  assert.equal((await tryRequest(cluster, granted, { signerName: MINE })).status, 201);
});
