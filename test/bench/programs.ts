// Builds the programs of the benchmark: driver and peer with Go, and the services as bundles, as in their images.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, ROOT } from '../../build/bundle.ts';
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
    signer: await bundle('signer', 'services/signer/main.ts'),
    approver: await bundle('approver', 'services/approver/main.ts'),
    webhook: await bundle('webhook', 'services/webhook/main.ts'),
    constant: await bundle('constant', 'test/bench/constant-webhook.ts'),
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

async function bundle(name: string, entryPoint: string): Promise<string> {
  const outfile = join(FOLDER, `${name}.mjs`);
  await bundleProgram(entryPoint, outfile);
  return outfile;
}
