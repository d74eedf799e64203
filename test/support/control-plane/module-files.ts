// Collects YAML files of a Go module in one file of the cache, for what a module brings beside its programs, such as
// CRDs. Go downloads the module if it is missing and verifies it with go.sum.

import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface ModuleFiles {
  /** The folder of the go.mod that names the module and its version. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly modulePath: string;
  /** The folder in the module. */
  readonly folder: string;
}

export async function collectModuleFiles({ cwd, env, modulePath, folder }: ModuleFiles, output: string): Promise<void> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', modulePath], { cwd, env });
  const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
  const names = (await readdir(join(Dir, folder))).filter(name => name.endsWith('.yaml')).toSorted();
  const texts = await Promise.all(names.map(name => readFile(join(Dir, folder, name), 'utf8')));
  await writeFile(output, texts.join('\n---\n'));
  // As all tools, although nothing runs it.
  await chmod(output, 0o755);
}
