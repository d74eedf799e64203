// Builds the programs of the benchmark: driver and peer with Go, and the services bundled and compiled as in their
// images.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, bundleService, ROOT, type Service } from '../../build/bundle.ts';
import { compile } from '../../build/compile.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import type { Progress } from '../support/control-plane/progress.ts';
import { runCommand } from '../support/control-plane/run-command.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const FOLDER = join(ROOT, '.tmp', 'bench');

/** Paths of the built programs. */
export interface Programs {
  readonly driver: string;
  /** cert-manager's controller for CA issuers alone: the tool needs 13 to 18 MB more for what it links. */
  readonly peer: string;
  /** The tool with all of cert-manager's controllers and more flags. */
  readonly certManager: string;
  readonly signer: string;
  readonly approver: string;
  readonly webhook: string;
  /** The webhook's server with a constant response. */
  readonly constant: string;
}

export async function buildPrograms(progress: Progress): Promise<Programs> {
  await mkdir(FOLDER, { recursive: true });
  return {
    driver: await buildGo('driver', progress),
    peer: await buildGo('peer', progress),
    certManager: (await findTools(['cert-manager'], { progress }))['cert-manager'],
    signer: await buildService('signer'),
    approver: await buildService('approver'),
    webhook: await buildService('webhook'),
    constant: await buildConstant(),
  };
}

async function buildGo(name: 'driver' | 'peer', progress: Progress): Promise<string> {
  const path = join(FOLDER, name);
  const step = progress.step(`building test/bench/${name} with Go (the first build of peer takes five minutes)`);
  const env = { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' };
  const { code, stderr } = await runCommand('go', ['build', '-o', path, '.'], { env, cwd: join(HERE, name) });
  step.done();
  if (code !== 0) throw new Error(`go build of test/bench/${name} failed:\n${stderr}`);
  return path;
}

async function buildService(service: Service): Promise<string> {
  const folder = join(FOLDER, service);
  await bundleService(service, folder);
  const program = join(folder, `${service}.mjs`);
  await compile(program);
  return program;
}

async function buildConstant(): Promise<string> {
  const program = join(FOLDER, 'constant', 'constant.mjs');
  await bundleProgram('test/bench/constant-webhook.ts', program);
  return program;
}
