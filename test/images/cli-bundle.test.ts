// The bundle of the kubectl plugin: one executable file that runs anywhere, an archive that does not depend on the
// build, and the krew manifest of that archive.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { bundleCli, packCli, renderKrewManifest } from '../../build/cli.ts';
import { readVersion } from '../../build/image-contents.ts';

const run = promisify(execFile);

let dir: string;
let program: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'countersign-cli-bundle-'));
  program = await bundleCli(dir);
});
after(() => rm(dir, { recursive: true, force: true }));

test('the plugin is one executable file of less than 2 MB that runs without node_modules', async () => {
  const { mode, size } = await stat(program);
  assert.ok((mode & 0o111) === 0o111 && size < 2_000_000);
  assert.match(await readFile(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  const { stdout } = await run(process.execPath, [program, '--version'], { cwd: dir });
  assert.equal(stdout, `${await readVersion()}\n`);
});

test('the help of the plugin does not load the Kubernetes library, which would take 0.3 s', async () => {
  const atExit = 'process.on("exit", () => process.stderr.write(process.moduleLoadList.join("\\n")))';
  const { stderr } = await run(process.execPath, ['--import', `data:text/javascript,${atExit}`, program, '--help']);
  assert.doesNotMatch(stderr, /NativeModule (http|https|tls)$/m);
});

test('the krew manifest has the checksum of the archive, whose bytes are the same in each build', async () => {
  const archive = await packCli(program);
  assert.deepEqual(await packCli(await bundleCli(join(dir, 'again'))), archive);
  const { spec } = parse(await renderKrewManifest({ version: '1.2.3', url: 'https://example.com/x', archive }));
  const [platform] = spec.platforms;
  assert.equal(spec.version, 'v1.2.3');
  assert.equal(platform.uri, 'https://example.com/x/releases/download/v1.2.3/kubectl-countersign.tar.gz');
  assert.equal(platform.sha256, hash('sha256', archive, 'hex'));
});
