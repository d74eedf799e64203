// `make demo`: starts a real API server with the chart and the services, runs the steps of steps.ts on it, and keeps
// running until Ctrl-C. With --once it exits after the steps, with exit code 0 only if all of them succeeded.

import { once } from 'node:events';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HELP_OPTION, readCommandLine } from '../../build/command-line.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { type Installation, type InstallOptions, install, NAMESPACE } from '../support/installation.ts';
import { type OpenBao, ROOT_TOKEN, startOpenBao } from '../support/openbao.ts';
import { APPROVED_SIGNER } from './approval.ts';
import { Narrator } from './narrator.ts';
import { runDemoSteps } from './steps.ts';
import type { DemoVault } from './vault.ts';

const HELP = `Usage: make demo [ARGS=--once]

Runs the Countersign demo on a real API server.
  make demo               Run all steps, then keep the cluster running until Ctrl-C.
  make demo ARGS=--once   Run all steps, then exit. The exit code is 0 if all of them succeeded.
`;

const INSTALL_OPTIONS: InstallOptions = {
  values: { approver: { enabled: true, signerNames: [APPROVED_SIGNER] } },
  approverFlags: [`--signer-names=${APPROVED_SIGNER}`],
};

async function main(): Promise<void> {
  const options = { once: { type: 'boolean' }, help: HELP_OPTION } as const;
  const { values } = readCommandLine('node test/demo/main.ts --help', { options });
  if (values.help) return void process.stdout.write(HELP);
  const interrupt = new AbortController();
  const { signal } = interrupt;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupt.abort());
  const progress = createProgress();
  await using controlPlane = await startControlPlane({ progress });
  const step = progress.step('installing the chart and starting the services');
  await using installation = await install(controlPlane, INSTALL_OPTIONS).finally(() => step.done());
  const vault = await startVault(controlPlane.dir);
  await using _ = { [Symbol.asyncDispose]: () => stopVault(vault) };
  const demo = await prepare(controlPlane, vault, signal);
  const isComplete = await isDoneUnlessAborted(signal, runSteps(demo, controlPlane, installation));
  if (values.once && !isComplete) process.exitCode = 1;
  if (values.once || !isComplete) return;
  showNextSteps(demo.narrator, demo.dir, installation);
  await aborted(signal);
}

interface Demo {
  readonly narrator: Narrator;
  readonly dir: string;
  readonly vault: DemoVault;
}

async function runSteps(demo: Demo, controlPlane: ControlPlane, installation: Installation): Promise<void> {
  introduce(demo.narrator, controlPlane, installation);
  const [signer, webhook] = [installation.running('signer')[0], installation.running('webhook')[0]];
  const urls = { signerUrl: signer?.url ?? '', webhookUrl: webhook?.url ?? '' };
  await runDemoSteps({ ...demo, ...urls, namespace: NAMESPACE });
}

/** Waits until the work has stopped, even if it was aborted. */
async function isDoneUnlessAborted(signal: AbortSignal, work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  // Neither child processes nor signal handlers keep this process alive.
  const stay = setInterval(() => {}, 2 ** 30);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(stay);
}

/**
 * Creates a folder with the users' kubeconfigs and the tools, so that the commands of the demo can be repeated there.
 */
async function prepare(controlPlane: ControlPlane, vault: StartedVault, signal: AbortSignal): Promise<Demo> {
  const dir = join(controlPlane.dir, 'demo');
  await mkdir(join(dir, 'bin'), { recursive: true });
  const tools = await findTools(['kubectl', 'helm', ...('missing' in vault ? [] : (['bao'] as const))]);
  for (const [name, path] of Object.entries(tools)) await symlink(path, join(dir, 'bin', name));
  for (const user of ['jane', 'mallory']) {
    await rm(join(dir, `${user}.kubeconfig`), { force: true });
    await symlink(await controlPlane.kubeconfigFor({ user }), join(dir, `${user}.kubeconfig`));
  }
  const env = {
    ...process.env,
    KUBECONFIG: controlPlane.adminKubeconfig,
    ...('missing' in vault ? {} : { BAO_ADDR: vault.url, BAO_TOKEN: ROOT_TOKEN }),
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
  };
  return { narrator: new Narrator({ out: process.stdout, cwd: dir, env, signal }), dir, vault };
}

type StartedVault = OpenBao | Extract<DemoVault, { missing: string }>;

/** The wheel of OpenBao is not available on every platform and network. */
async function startVault(dir: string): Promise<StartedVault> {
  try {
    await findTools(['bao']);
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
  return startOpenBao({ parent: dir });
}

async function stopVault(vault: StartedVault): Promise<void> {
  if (!('missing' in vault)) await vault.stop();
}

function introduce(narrator: Narrator, { url }: ControlPlane, installation: Installation): void {
  narrator.heading('Countersign demo');
  narrator.explain(`kube-apiserver is running at ${url}. The Helm chart is installed with this command:
  helm ${installation.helmCommand.join(' ')}
The webhook, the signer and the approver run as local processes and authenticate with the chart's ServiceAccounts.`);
}

function showNextSteps(narrator: Narrator, dir: string, installation: Installation): void {
  const [signer, webhook] = [installation.running('signer')[0], installation.running('webhook')[0]];
  narrator.heading("What's next");
  narrator.explain(`The cluster is still running. To use it as the administrator, run these commands in another terminal:
  cd ${dir}
  export PATH=$PWD/bin:$PATH KUBECONFIG=$PWD/../kubeconfig
  kubectl get csr,issuers,clusterissuers -A
To act as a user, add --kubeconfig jane.kubeconfig or --kubeconfig mallory.kubeconfig.

Signer:   metrics ${signer?.url}/metrics
          log     ${signer?.child.logPath}
Webhook:  metrics ${webhook?.url}/metrics
          log     ${webhook?.child.logPath}

Press Ctrl-C to stop the cluster and delete all its files.`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
