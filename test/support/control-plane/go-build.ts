// Builds one tool with Go from the module proxy. The result appears atomically, and concurrent builds of one tool are
// safe. The caller decides whether a build is needed.

import { execFile } from 'node:child_process';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { logTail, startChild } from './child.ts';
import { collectModuleFiles } from './module-files.ts';
import type { Progress, Step } from './progress.ts';
import { type Environment, type GoSource, type GoToolName, moduleFolder, TOOLS, type ToolModule } from './tools.ts';

export interface BuildContext {
  readonly module: ToolModule;
  /** The folder for the finished tools. */
  readonly folder: string;
  readonly env: Environment;
  readonly progress: Progress;
}

/** Suffix of unfinished files. The holder of the folder's lock may remove them. */
export const PARTIAL = '.partial';

export async function buildTool(name: GoToolName, context: BuildContext): Promise<void> {
  const { module, folder, progress } = context;
  const output = join(folder, `.${name}.${process.pid}${PARTIAL}`);
  const logPath = join(folder, `build-${name}.log`);
  await rm(logPath, { force: true });
  const step = progress.step(`building ${name} (once, about ${TOOLS[name].about} on 2 cores)`);
  try {
    if (!(await collectFiles(name, context, output)))
      await runGo(name, buildArguments(name, module, output), { context, logPath, step });
    await rename(output, join(folder, module.fileNames[name]));
    await rm(logPath, { force: true });
  } finally {
    step.done();
    await rm(output, { force: true });
  }
}

/** Whether the tool consists of files of a module, which are then in `output`. */
async function collectFiles(name: GoToolName, { module, env }: BuildContext, output: string): Promise<boolean> {
  const { goPackage: modulePath, yamlFolder: folder }: GoSource = TOOLS[name];
  if (folder === undefined) return false;
  await collectModuleFiles({ cwd: moduleFolder(name, module), env: goEnvironment(env), modulePath, folder }, output);
  return true;
}

/** Throws, with instructions, if no suitable Go is installed. */
export async function checkGo({ module, env }: Pick<BuildContext, 'module' | 'env'>): Promise<void> {
  const wanted = `Go ${module.goVersion} or newer`;
  const remedy = `Install ${wanted} (https://go.dev/dl/), or set KUBEBUILDER_ASSETS to a folder with the tools.`;
  // Runs in the module's folder, so that GOTOOLCHAIN applies.
  const options = { cwd: module.dir, env: goEnvironment(env) };
  const found = await promisify(execFile)('go', ['env', 'GOVERSION'], options).then(
    ({ stdout }) => stdout.trim(),
    error => {
      if (error.code === 'ENOENT')
        throw new Error(`Building the control plane's tools needs Go, which is not in PATH. ${remedy}`);
      throw new Error(
        `The Go in PATH cannot build the control plane's tools: ${String(error.stderr).trim()}. ${remedy}`,
      );
    },
  );
  if (isOlder(found.replace(/^go/, ''), module.goVersion)) {
    throw new Error(`The Go in PATH is ${found}; the control plane's tools need ${wanted}. ${remedy}`);
  }
}

function buildArguments(name: GoToolName, module: ToolModule, output: string): string[] {
  return [
    'build',
    '-v',
    '-trimpath',
    '-ldflags',
    linkerFlags(module.kubernetesVersion),
    '-o',
    output,
    TOOLS[name].goPackage,
  ];
}

/** Without these, /version reports v0.0.0-master and clients cannot detect the version. */
function linkerFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const stamps = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...stamps].join(' ');
}

interface GoRun {
  readonly context: BuildContext;
  readonly logPath: string;
  readonly step: Step;
}

async function runGo(name: GoToolName, args: readonly string[], { context, logPath, step }: GoRun): Promise<void> {
  const { module, env } = context;
  const cwd = moduleFolder(name, module);
  const go = startChild({ name: 'go', command: 'go', args, logPath, cwd, env: goEnvironment(env) });
  // go build -v prints each package when it compiles it, and nothing while it links.
  const timer = setInterval(() => void lastLine(logPath).then(step.note), 1_000);
  const ending = await go.ended.finally(() => clearInterval(timer));
  if (ending === 'exit code 0') return;
  throw new Error(
    `Building ${name} with Go failed (${ending}). The log is ${logPath} and ends with:\n${logTail(logPath)}`,
  );
}

function goEnvironment(env: Environment): Environment {
  const flags = `${env['GOFLAGS'] ?? ''} -mod=readonly -buildvcs=false`.trim();
  return { ...env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: flags };
}

async function lastLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function isOlder(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map(text => text.split('.').map(part => Number.parseInt(part, 10) || 0));
  for (const [index, part] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
