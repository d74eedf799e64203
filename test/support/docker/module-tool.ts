// Builds a program from a separate Go module into the cache, once. The module of the control plane, and its cache key,
// must not change for these tools. Does not start the program.

import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logTail, startChild } from '../control-plane/child.ts';
import { acquireLock } from '../control-plane/lock-file.ts';
import { createProgress } from '../control-plane/progress.ts';
import { type Environment } from '../control-plane/tools.ts';

interface ModuleTool {
  readonly name: string;
  /** The folder with go.mod, below test/e2e. */
  readonly module: string;
  readonly goPackage: string;
  readonly flags: readonly string[];
  /** Duration of the first build on two cores. */
  readonly about: string;
}

const PROMETHEUS = 'github.com/prometheus/prometheus';
// Only static and file targets, without the clients of about twenty clouds.
const WITHOUT_DISCOVERY = ['-tags', 'remove_all_sd', '-ldflags', '-s -w'];
const INTERNAL = 'github.com/docker/compose/v2/internal';

export const MODULE_TOOLS = {
  cmctl: {
    name: 'cmctl',
    module: 'cmctl',
    goPackage: '.',
    flags: ['-ldflags', '-s -w'],
    about: '3 minutes',
  },
  'docker-compose': {
    name: 'docker-compose',
    module: 'compose-plugin',
    goPackage: 'github.com/docker/compose/v2/cmd',
    flags: ['-ldflags', `-s -w -X ${INTERNAL}.Version=v2.40.3`],
    about: '3 minutes',
  },
  prometheus: {
    name: 'prometheus',
    module: 'prometheus',
    goPackage: `${PROMETHEUS}/cmd/prometheus`,
    flags: WITHOUT_DISCOVERY,
    about: '4 minutes',
  },
  promtool: {
    name: 'promtool',
    module: 'prometheus',
    goPackage: `${PROMETHEUS}/cmd/promtool`,
    flags: WITHOUT_DISCOVERY,
    about: 'a minute',
  },
} as const satisfies Record<string, ModuleTool>;

/** Returns the path of the program. */
export async function findModuleTool(tool: ModuleTool, env: Environment = process.env): Promise<string> {
  const dir = moduleFolder(tool.module);
  const folder = await cacheFolder(tool, dir, env);
  const path = join(folder, tool.name);
  if (await isExecutable(path)) return path;
  await mkdir(folder, { recursive: true });
  const lock = await acquireLock(join(folder, 'lock'), () => {});
  try {
    if (!(await isExecutable(path))) await build(tool, dir, path);
    return path;
  } finally {
    await lock.release();
  }
}

export function moduleFolder(name: string): string {
  return fileURLToPath(new URL(`../../e2e/${name}/`, import.meta.url));
}

async function cacheFolder(tool: ModuleTool, dir: string, env: Environment): Promise<string> {
  const hash = createHash('sha256').update(tool.flags.join(' '));
  for (const name of ['go.mod', 'go.sum']) hash.update(await readFile(join(dir, name)));
  const base = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  const key = `${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`;
  return join(base, 'countersign', tool.module, key);
}

async function build(tool: ModuleTool, dir: string, path: string): Promise<void> {
  const draft = `${path}.partial`;
  const logPath = `${path}.log`;
  const step = createProgress().step(`building ${tool.name} (once, about ${tool.about} on 2 cores)`);
  const args = ['build', '-mod=readonly', '-trimpath', ...tool.flags, '-o', draft, tool.goPackage];
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  await rm(logPath, { force: true });
  const go = startChild({ name: 'go', command: 'go', args, logPath, cwd: dir, env });
  const ending = await go.ended.finally(step.done);
  if (ending !== 'exit code 0') {
    throw new Error(`Building ${tool.name} with Go failed (${ending}). Its log ends with:\n${logTail(logPath)}`);
  }
  await rename(draft, path);
  await rm(logPath, { force: true });
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
