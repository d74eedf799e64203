// Runs the script of `helm test` with its RBAC permissions against a real API server and a running webhook: it passes
// if all responses are correct, and fails if the webhook, or nothing at all, checks requests.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { readEnvironment, type Variable } from '../support/pod-process.ts';
import { type KubeObject, parseObjects } from './helm.ts';

const NAMESPACE = 'countersign';

interface Pod extends KubeObject {
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [
      {
        readonly command: readonly string[];
        readonly env: readonly Variable[];
      },
    ];
  };
}

let cluster: Cluster;
let pod: Pod;
let script: string;
/** The manifest of the ApprovalPolicy. */
let policy: string;

before(async () => {
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['a', 'b'] },
    { key: 'old', operator: 'DoesNotExist' },
  ];
  const objectSelector = { matchLabels: { looked: 'at' }, matchExpressions };
  const signerNames = ['issuers.cert-manager.io/*'];
  const values = { webhook: { objectSelector }, approver: { enabled: true, signerNames } };
  cluster = await startCluster({ values, approverFlags: [`--signer-names=${signerNames.join(',')}`] });
  const { stdout } = await cluster.controlPlane.helm(['get', 'hooks', 'countersign', '-n', NAMESPACE]);
  const hooks = parseObjects(stdout);
  pod = hooks.find(({ kind }) => kind === 'Pod') as Pod;
  const others = hooks.filter(({ kind }) => kind !== 'Pod');
  policy = stringify(others.find(({ kind }) => kind === 'ApprovalPolicy'));
  await cluster.kubectl(['apply', '-f', '-'], others.map(object => stringify(object)).join('---\n'));
  const { data } = others.find(({ kind }) => kind === 'ConfigMap') as KubeObject & { data: Record<string, string> };
  script = join(cluster.controlPlane.dir, 'admission-check.mjs');
  await writeFile(script, data['admission-check.mjs'] ?? '');
});
after(() => cluster.stop());

/** Runs the pod's command in the pod's environment. Only the paths of files that the kubelet mounts differ. */
async function runTest(more: Record<string, string> = {}): Promise<{ readonly code: number; readonly stdout: string }> {
  const { dir, url, caPem } = cluster.controlPlane;
  const files = { ca: join(dir, 'test-ca.crt'), token: join(dir, 'test-token') };
  const account = pod.spec.serviceAccountName;
  await writeFile(files.ca, caPem);
  await writeFile(files.token, await cluster.kubectl(['create', 'token', account, '-n', NAMESPACE]), { mode: 0o600 });
  const { hostname, port } = new URL(url);
  const env = {
    ...readEnvironment(pod.spec.containers[0].env, NAMESPACE),
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    TOKEN_FILE: files.token,
    NODE_EXTRA_CA_CERTS: files.ca,
    ...more,
  };
  return new Promise(resolve => {
    execFile(process.execPath, [script], { env, timeout: 70_000 }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout }),
    );
  });
}

test('helm test uses the image of a service', () => {
  assert.deepEqual(pod.spec.containers[0].command, ['/usr/local/bin/node', '/test/admission-check.mjs']);
});

test('helm test passes if a permitted user is admitted and an unpermitted one denied, and creates nothing', async () => {
  const { code, stdout } = await runTest();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /:permitted: 201/);
  assert.match(stdout, /:unpermitted: 403 .*may not reference Namespaced Issuer countersign\/countersign-test/);
  assert.match(stdout, /:permitted: 422 admission webhook "requests.countersign.io" denied the request/);
  assert.match(stdout, /^ApprovalPolicy countersign-test: Ready True$/m);
  assert.equal(await cluster.kubectl(['get', 'csr', '-o', 'name']), '');
});

test('helm test fails if no approver works', async () => {
  for (const { child } of cluster.installation.running('approver')) await child.stop(10_000);
  await cluster.kubectl(['delete', '-f', '-'], policy);
  await cluster.kubectl(['create', '-f', '-'], policy);
  const { code, stdout } = await runTest({ DEADLINE_SECONDS: '5' });
  assert.equal(code, 1);
  assert.match(stdout, /^FAILED: the approver did not write the Ready condition/m);
  await cluster.installation.start('approver');
});

/** The API server takes a moment to notice deleted objects. */
async function runTestUntil(failures: number): Promise<string> {
  for (let i = 0; ; i++) {
    const { code, stdout } = await runTest();
    const found = stdout.match(/^FAILED: /gm)?.length ?? 0;
    assert.equal(code, found === 0 ? 0 : 1);
    if (found === failures || i === 20) return stdout;
  }
}

test('helm test fails if only the admission policy checks requests', async () => {
  const upgrade = [...cluster.installation.helmCommand, '--set', 'admissionPolicy.enabled=true'];
  const { code, stderr } = await cluster.controlPlane.helm(upgrade);
  assert.equal(code, 0, stderr);
  await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'countersign-webhook']);
  const stdout = await runTestUntil(1);
  assert.match(stdout, /:unpermitted: 403 .*may not reference/);
  assert.match(stdout, /FAILED: the webhook did not reject an invalid duration/);
  assert.doesNotMatch(stdout, /FAILED: countersign:/);
});

test('helm test fails if nothing checks requests, and reports it', async () => {
  await cluster.kubectl(['delete', 'validatingadmissionpolicybinding', 'countersign-requests']);
  assert.match(
    await runTestUntil(2),
    /FAILED: countersign:helm-test:unpermitted may not reference the Issuer, but was not denied/,
  );
});
