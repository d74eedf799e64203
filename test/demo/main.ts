// `make demo`: brings up a real API server with the chart and both services, tells the story on it, and stays up for a look
// around until Ctrl-C; with --once it ends after the story, with exit code 0 only if every step went as told.

import { once } from 'node:events';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import { createProgress } from '../support/control-plane/progress.ts';
import { type Installation, install, NAMESPACE } from '../support/installation.ts';
import { Narrator } from './narrator.ts';
import { tellStory } from './story.ts';

const HELP = `Shows a refusal and a certificate on a real API server.
  make demo               tell the story, then stay up until Ctrl-C
  make demo ARGS=--once   tell the story, then exit: 0 if every step went as told
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(HELP);
  const interrupt = new AbortController();
  const { signal } = interrupt;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupt.abort());
  const progress = createProgress();
  await using controlPlane = await startControlPlane({ progress });
  const step = progress.step('installing the chart and starting the services');
  await using installation = await install(controlPlane).finally(() => step.done());
  const demo = await prepare(controlPlane, signal);
  const wasTold = await isDoneUnlessAborted(signal, tell(demo, controlPlane, installation));
  if (values.once && !wasTold) process.exitCode = 1;
  if (values.once || !wasTold) return;
  sayGoodbye(demo.narrator, demo.dir, installation);
  await aborted(signal);
}

interface Demo {
  readonly narrator: Narrator;
  readonly dir: string;
}

async function tell(demo: Demo, controlPlane: ControlPlane, installation: Installation): Promise<void> {
  introduce(demo.narrator, controlPlane, installation);
  const [signer, webhook] = [installation.running('signer')[0], installation.running('webhook')[0]];
  const urls = { signerUrl: signer?.url ?? '', webhookUrl: webhook?.url ?? '' };
  await tellStory({ ...demo, ...urls, namespace: NAMESPACE });
}

/** Waits in any case until nothing of the work runs any more. */
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
  // Neither the children nor a handler of signals keeps this process.
  const stay = setInterval(() => {}, 2 ** 30);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(stay);
}

/** A folder with the users' kubeconfigs and a bin folder, so that the commands of the story work when they are typed there. */
async function prepare(controlPlane: ControlPlane, signal: AbortSignal): Promise<{ narrator: Narrator; dir: string }> {
  const dir = join(controlPlane.dir, 'demo');
  await mkdir(join(dir, 'bin'), { recursive: true });
  for (const [name, path] of Object.entries(await findTools(['kubectl', 'helm'])))
    await symlink(path, join(dir, 'bin', name));
  for (const user of ['jane', 'mallory']) {
    await rm(join(dir, `${user}.kubeconfig`), { force: true });
    await symlink(await controlPlane.kubeconfigFor({ user }), join(dir, `${user}.kubeconfig`));
  }
  const env = {
    ...process.env,
    KUBECONFIG: controlPlane.adminKubeconfig,
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
  };
  return { narrator: new Narrator({ out: process.stdout, cwd: dir, env, signal }), dir };
}

function introduce(narrator: Narrator, { url }: ControlPlane, installation: Installation): void {
  narrator.heading('Countersign on a real API server');
  narrator.say(`etcd and kube-apiserver run at ${url}. The chart was installed on them by
  helm ${installation.helmCommand.join(' ')}
and both services run beside them as processes, with the tokens of the chart's ServiceAccounts.`);
}

function sayGoodbye(narrator: Narrator, dir: string, installation: Installation): void {
  const [signer, webhook] = [installation.running('signer')[0], installation.running('webhook')[0]];
  narrator.heading('Now you. In another terminal:');
  narrator.say(`  cd ${dir}
  export PATH=$PWD/bin:$PATH KUBECONFIG=$PWD/../kubeconfig    # the administrator; jane.kubeconfig and mallory.kubeconfig are here too
  kubectl get csr,issuers,clusterissuers -A

The signer's metrics:  ${signer?.url}/metrics    its log: ${signer?.child.logPath}
The webhook's metrics: ${webhook?.url}/metrics    its log: ${webhook?.child.logPath}

Ctrl-C ends it all and leaves nothing behind.`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
