// What `helm test` runs, with the rights that the chart gives it, against a real API server and a running webhook: it passes when
// both answers are right, and fails when nobody checks.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type KubeObject, parseObjects } from './helm.ts';

const NAMESPACE = 'countersign';

interface Pod extends KubeObject {
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [
      {
        readonly command: readonly string[];
        readonly env: readonly { readonly name: string; readonly value: string }[];
      },
    ];
  };
}

let cluster: Cluster;
let pod: Pod;
let script: string;

before(async () => {
  cluster = await startCluster();
  const { stdout } = await cluster.controlPlane.helm(['get', 'hooks', 'countersign', '-n', NAMESPACE]);
  const hooks = parseObjects(stdout);
  pod = hooks.find(({ kind }) => kind === 'Pod') as Pod;
  const others = hooks.filter(({ kind }) => kind !== 'Pod');
  await cluster.kubectl(['apply', '-f', '-'], others.map(object => stringify(object)).join('---\n'));
  const { data } = others.find(({ kind }) => kind === 'ConfigMap') as KubeObject & { data: Record<string, string> };
  script = join(cluster.controlPlane.dir, 'admission-check.mjs');
  await writeFile(script, data['admission-check.mjs'] ?? '');
});
after(() => cluster.stop());

/** The pod's command with the pod's environment; only what the kubelet would mount is elsewhere. */
async function runTest(): Promise<{ readonly code: number; readonly stdout: string }> {
  const { dir, url, caPem } = cluster.controlPlane;
  const files = { ca: join(dir, 'test-ca.crt'), token: join(dir, 'test-token') };
  const account = pod.spec.serviceAccountName;
  await writeFile(files.ca, caPem);
  await writeFile(files.token, await cluster.kubectl(['create', 'token', account, '-n', NAMESPACE]), { mode: 0o600 });
  const { hostname, port } = new URL(url);
  const env = {
    ...Object.fromEntries(pod.spec.containers[0].env.map(({ name, value }) => [name, value])),
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    TOKEN_FILE: files.token,
    NODE_EXTRA_CA_CERTS: files.ca,
  };
  return new Promise(resolve => {
    execFile(process.execPath, [script], { env, timeout: 70_000 }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout }),
    );
  });
}

test('the image of the test is one of the services', () => {
  assert.deepEqual(pod.spec.containers[0].command, ['/usr/local/bin/node', '/test/admission-check.mjs']);
});

test('it passes where a permitted user is let in and an unpermitted one is refused, and makes nothing', async () => {
  const { code, stdout } = await runTest();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /:permitted: 201/);
  assert.match(stdout, /:unpermitted: 403 .*may not reference Namespaced Issuer countersign\/countersign-test/);
  assert.equal(await cluster.kubectl(['get', 'csr', '-o', 'name']), '');
});

test('it fails at once where nobody checks, and says so', async () => {
  await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'countersign-webhook']);
  // The API server takes a moment to notice.
  let result = await runTest();
  for (let i = 0; i < 20 && result.code === 0; i++) result = await runTest();
  assert.equal(result.code, 1, result.stdout);
  assert.match(
    result.stdout,
    /FAILED: countersign:helm-test:unpermitted may not reference the Issuer, and was not refused/,
  );
});
