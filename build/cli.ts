// `make cli`: bundles the kubectl plugin into one executable file, packs it, and writes its krew manifest. Builds are
// reproducible; publishes nothing.

import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { parseArgs, promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bundleProgram, REQUIRE, ROOT } from './bundle.ts';
import { readVersion } from './image-contents.ts';
import { packTar } from './tar.ts';

const NAME = 'kubectl-countersign';

/** Bundles the plugin; returns the path of the file. */
export async function bundleCli(folder = join(ROOT, 'dist')): Promise<string> {
  const program = join(folder, `${NAME}.mjs`);
  await mkdir(folder, { recursive: true });
  await bundleProgram('cli/main.ts', program, {
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
    // Users run it with their own Node (package.json, engines).
    target: 'node24',
    // One file: no source map, and the licences inside.
    sourcemap: false,
    legalComments: 'eof',
    minify: true,
  });
  await chmod(program, 0o755);
  return program;
}

/**
 * Builds an executable that includes this Node, for this platform only: 152 MB (48 MB packed) instead of 1.2 MB, and no
 * faster to start (measured), so that only users without Node need it.
 */
async function buildExecutable(program: string, output: string): Promise<void> {
  const configuration = `${output}.sea.json`;
  const options = { main: program, mainFormat: 'module', output, disableExperimentalSEAWarning: true };
  await writeFile(configuration, JSON.stringify(options));
  await promisify(execFile)(process.execPath, ['--build-sea', configuration]);
  await rm(configuration);
}

/** The archive that krew downloads. Its bytes depend on the plugin and the licence only. */
export async function packCli(program: string): Promise<Buffer> {
  const archive = packTar([
    { path: NAME, mode: 0o755, content: await readFile(program) },
    { path: 'LICENSE', content: await readFile(join(ROOT, 'LICENSE')) },
  ]);
  return gzipSync(await buffer(Readable.from(archive)), { level: 9 });
}

interface Release {
  readonly version: string;
  /** The page of the repository, below which krew finds the archive. */
  readonly url: string;
  readonly archive: Buffer;
}

/** The krew manifest (krew.googlecontainertools.github.com/v1alpha2) of an archive. */
export async function renderKrewManifest({ version, url, archive }: Release): Promise<string> {
  const template = await readFile(new URL('krew-template.yaml', import.meta.url), 'utf8');
  const values: Record<string, string> = { version, url, sha256: hash('sha256', archive, 'hex') };
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

/** Until the project is published, the manifest points nowhere. */
const NO_URL = 'https://example.com/countersign';

async function main(): Promise<void> {
  const options = { url: { type: 'string', default: NO_URL }, executable: { type: 'boolean' } } as const;
  const { values } = parseArgs({ options });
  const version = await readVersion();
  const program = await bundleCli();
  const archive = await packCli(program);
  await writeFile(join(ROOT, 'dist', `${NAME}.tar.gz`), archive);
  await writeFile(
    join(ROOT, 'dist', 'krew-countersign.yaml'),
    await renderKrewManifest({ version, url: values.url, archive }),
  );
  if (values.executable) await buildExecutable(program, join(ROOT, 'dist', NAME));
  process.stdout.write(`dist/${NAME}.mjs runs as \`kubectl countersign\` from a folder of PATH, without the extension:
  install -m 755 dist/${NAME}.mjs ~/.local/bin/${NAME}
`);
}

if (import.meta.main) await main();
