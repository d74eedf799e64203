// Image archives: readable by other programs, and reproducible.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type Image, writeDockerArchive } from '../../build/docker-archive.ts';
import { nodeFiles } from '../../build/node-files.ts';
import { packTar, type TarEntry } from '../../build/tar.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'countersign-archive-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const ENTRIES = [
  { path: 'usr/bin/tool', mode: 0o755, content: Buffer.from('x'.repeat(513)) },
  { path: 'tmp/', mode: 0o1777 },
  { path: 'etc/passwd', content: Buffer.from('root\n') },
];

async function listing(entries: readonly TarEntry[]): Promise<string[]> {
  const input = await buffer(packTar(entries));
  const text = execFileSync('tar', ['-tvf', '-', '--utc', '--full-time'], { input, encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map(line => line.replace(/ +/g, ' '));
}

test('tar lists every entry with owner root and mtime 1970, and adds missing parent folders', async () => {
  assert.deepEqual(await listing(ENTRIES), [
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 etc/',
    '-rw-r--r-- 0/0 5 1970-01-01 00:00:00 etc/passwd',
    'drwxrwxrwt 0/0 0 1970-01-01 00:00:00 tmp/',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/bin/',
    '-rwxr-xr-x 0/0 513 1970-01-01 00:00:00 usr/bin/tool',
  ]);
});

test('the order of the given entries does not change the archive', async () => {
  assert.deepEqual(await listing(ENTRIES.toReversed()), await listing(ENTRIES));
});

test('tar reads a path that is too long for a plain header', async () => {
  const lines = await listing([{ path: 'a'.repeat(300) }]);
  assert.deepEqual(lines, [`-rw-r--r-- 0/0 0 1970-01-01 00:00:00 ${'a'.repeat(300)}`]);
});

test('two images that share a layer store it once, and the manifest lists every file', async () => {
  const shared = { entries: ENTRIES, createdBy: 'base' };
  const image = (name: string): Image => ({
    name,
    config: { Entrypoint: [`/${name}`], Env: [], User: '1:1', WorkingDir: '/', Labels: {} },
    layers: [shared, { entries: [{ path: name, content: Buffer.from(name) }], createdBy: name }],
  });
  const [first, second] = [join(dir, 'first.tar'), join(dir, 'second.tar')];
  await writeDockerArchive(first, [image('a'), image('b')]);
  await writeDockerArchive(second, [image('a'), image('b')]);
  assert.deepEqual(await readFile(first), await readFile(second));

  const names = execFileSync('tar', ['-tf', first], { encoding: 'utf8' }).trim().split('\n');
  assert.equal(names.filter(name => name.endsWith('.tar')).length, 3);
  const manifest = JSON.parse(execFileSync('tar', ['-xOf', first, 'manifest.json'], { encoding: 'utf8' }));
  const needed: string[] = manifest.flatMap(({ Config, Layers }: { Config: string; Layers: string[] }) => [
    Config,
    ...Layers,
  ]);
  assert.deepEqual([...new Set(needed)].toSorted(), names.filter(name => name !== 'manifest.json').toSorted());
});

test('the base layer contains Node and its libraries, but no shell or package manager', async () => {
  const paths = (await nodeFiles()).map(({ path }) => path);
  for (const wanted of [/^usr\/local\/bin\/node$/, /libc\.so\.6$/, /ld-linux/, /libresolv/, /^etc\/passwd$/]) {
    assert.ok(
      paths.some(path => wanted.test(path)),
      String(wanted),
    );
  }
  assert.deepEqual(
    paths.filter(path => /\/bin\/(?!node$)|npm/.test(path)),
    [],
  );
});
