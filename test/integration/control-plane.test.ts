// The control plane that all other integration tests use: it serves, authenticates its users, verifies certificates
// both ways, and leaves nothing behind however its starter ends.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { isAlive } from '../support/control-plane/lock-file.ts';
import { until } from '../support/until.ts';

const COMMAND = fileURLToPath(new URL('../control-plane/main.ts', import.meta.url));

let controlPlane: ControlPlane;
before(async () => {
  controlPlane = await startControlPlane();
});
after(() => controlPlane.stop());

test('kubectl and helm of the expected releases can use the control plane', async () => {
  const version = await controlPlane.kubectl(['version', '-o', 'json']);
  const { clientVersion, serverVersion } = JSON.parse(version.stdout);
  // The release in go.mod, unless KUBEBUILDER_ASSETS provides another: then all tests use that.
  const tools = await findTools(['kube-apiserver']);
  const release = execFileSync(tools['kube-apiserver'], ['--version'], { encoding: 'utf8' }).trim().split(' ')[1];
  assert.match(release ?? '', /^v1\.\d+\.\d+$/);
  assert.deepEqual([clientVersion.gitVersion, serverVersion.gitVersion], [release, release]);
  assert.equal((await controlPlane.helm(['list', '-o', 'json'])).stdout.trim(), '[]');
});

test('a user has exactly the permissions that RBAC grants to its groups', async () => {
  const kubeconfig = await controlPlane.kubeconfigFor({ user: 'mallory, "the" +user', groups: ['=group', '#2'] });
  const whoami = await controlPlane.kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig });
  const { username, groups } = JSON.parse(whoami.stdout).status.userInfo;
  assert.deepEqual([username, groups], ['mallory, "the" +user', ['=group', '#2', 'system:authenticated']]);

  const refused = await controlPlane.kubectl(['get', 'secrets'], { kubeconfig });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Forbidden.*cannot list resource "secrets"/);

  await kubectl('create', 'role', 'secret-reader', '--verb=list', '--resource=secrets');
  await kubectl('create', 'rolebinding', 'secret-readers', '--role=secret-reader', '--group==group');
  await until(async () => (await controlPlane.kubectl(['get', 'secrets'], { kubeconfig })).code === 0);
});

test('a service account gets a token that the API server accepts', async () => {
  await kubectl('create', 'serviceaccount', 'robot');
  const token = (await kubectl('create', 'token', 'robot')).trim();
  assert.deepEqual(await get('/apis', { ca: controlPlane.caPem, token }), 200);
  assert.deepEqual(await get('/apis', { ca: controlPlane.caPem, token: `${token}x` }), 401);
});

test('a client without the CA of the control plane rejects it', async () => {
  await assert.rejects(get('/readyz', {}), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

test('kubectl applies standard input', async () => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'piped' }, data: { a: 'b' } });
  assert.equal((await controlPlane.kubectl(['apply', '-f', '-'], { input })).stdout, 'configmap/piped created\n');
});

test('a second control plane runs in parallel, and stopping it leaves no process or folder', async () => {
  const second = await startControlPlane();
  const { pids } = second;
  assert.equal(pids.length, 2);
  assert.notEqual(second.url, controlPlane.url);
  await second.kubectl(['create', 'namespace', 'only-there']);
  assert.equal((await controlPlane.kubectl(['get', 'namespace', 'only-there'])).code, 1);
  await second.stop();
  assert.deepEqual(pids.filter(isAlive), []);
  await assert.rejects(access(second.dir), { code: 'ENOENT' });
});

test('a failed start leaves no process and reports where its logs are', async t => {
  const failing = startControlPlane({ apiServerFlags: ['--no-such-flag'] });
  const error = await failing.then(
    () => assert.fail('it started'),
    reason => reason,
  );
  assert.match(error.cause.message, /kube-apiserver: exit code 1.*unknown flag: --no-such-flag/s);
  const logs = error.message.replace(/.*logs are in /, '');
  t.after(() => rm(join(logs, '..'), { recursive: true }));
  assert.match(await readFile(join(logs, 'kube-apiserver.log'), 'utf8'), /unknown flag/);
  assert.deepEqual(processesOf(join(logs, '..')), []);
});

test('the command writes an admin kubeconfig, adds a user, keeps its data, and stops on a signal', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-command-'));
  t.after(() => rm(dir, { recursive: true }));
  const first = await startCommand(dir);
  await withConfig(join(dir, 'kubeconfig'), 'create', 'namespace', 'kept');
  const user = execFileSync(process.execPath, [COMMAND, 'user', 'jane', '--dir', dir], { encoding: 'utf8' });
  assert.equal(user, `${join(dir, 'jane.kubeconfig')}\n`);
  first.kill('SIGTERM');
  assert.deepEqual(await once(first, 'exit'), [0, null]);
  assert.deepEqual(processesOf(dir), []);

  const again = await startCommand(dir);
  assert.match(await withConfig(join(dir, 'kubeconfig'), 'get', 'namespace', 'kept'), /Active/);
  assert.match(await withConfig(user.trim(), 'auth', 'whoami'), /Username +jane/);
  again.kill('SIGKILL');
  await once(again, 'exit');
  await until(() => processesOf(dir).length === 0);
});

async function startCommand(dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [COMMAND, 'up', '--dir', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    output += text;
    if (output.includes('Press Ctrl-C to stop it')) return child;
  }
  return assert.fail(`the command ended: ${output}`);
}

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function withConfig(kubeconfig: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl(args, { kubeconfig });
  assert.equal(code, 0, stderr);
  return stdout;
}

function get(path: string, { ca, token }: { ca?: string; token?: string }): Promise<number | undefined> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, controlPlane.url),
      { ...(ca === undefined ? {} : { ca }), headers },
      response => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    call.once('error', reject);
    call.end();
  });
}

/** Returns the servers whose command line names the folder. */
function processesOf(dir: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return lines.filter(line => line.includes(`${dir}/pki/`));
}
