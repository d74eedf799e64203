// Measures the cost of the webhook for CSR creation: latency and rate without a webhook, with the webhook, and with the
// webhook's server returning a constant response.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { compileCacheVariables, NODE_FLAGS } from '../../build/compile.ts';
import { type Child, logTail, startChild } from '../support/control-plane/child.ts';
import { BENCH_NAMESPACE, type Figures, logFile, REQUESTER, type World } from './bench-cluster.ts';
import { FOLDER } from './programs.ts';
import { NO_TARGET, type Row } from './row.ts';
import { alternate, compare } from './sides.ts';
import { TARGETS } from './targets.ts';

const COUNT = 1_000;
const IN_FLIGHT = 16;
/** The unit of CPU time in /proc/<pid>/stat (USER_HZ, 100 on every Linux). */
const MILLISECONDS_PER_TICK = 10;

export async function measureAdmission(world: World, { runs }: { readonly runs: number }): Promise<readonly Row[]> {
  const { none, ours, asking, constant } = await alternate(runs, {
    none: () => createAll(world),
    ours: () => behind(world, 'webhook'),
    asking: () => behind(world, 'webhook', ['--permission-ttl=0s']),
    constant: () => behind(world, 'constant'),
  });
  const p50 = 'CSR creation, webhook vs. none, p50 (ms)';
  const rate = `CSR creation rate, webhook vs. none, ${IN_FLIGHT} in flight (per second)`;
  const cpu = 'webhook CPU per admission vs. constant response (ms)';
  const each = ', uncached review';
  return [
    compare(p50, 'p50', { ours, theirs: none }, TARGETS.createP50),
    compare(rate, 'rate', { ours, theirs: none }, TARGETS.createRate),
    compare(cpu, 'cpuMs', { ours, theirs: constant }, TARGETS.admissionCpu),
    compare(p50 + each, 'p50', { ours: asking, theirs: none }, NO_TARGET),
    compare(rate + each, 'rate', { ours: asking, theirs: none }, NO_TARGET),
    compare(cpu + each, 'cpuMs', { ours: asking, theirs: constant }, NO_TARGET),
  ];
}

function createAll(world: World): Promise<Figures> {
  const signer = `issuers.cert-manager.io/${BENCH_NAMESPACE}.ec`;
  return world.drive('create', { count: COUNT, parallel: IN_FLIGHT, as: REQUESTER, signer });
}

/** Runs the same with a server as the webhook, and measures its CPU time per admission. */
async function behind(world: World, program: 'webhook' | 'constant', flags: readonly string[] = []): Promise<Figures> {
  const child = startServer(world, program, flags);
  try {
    await untilAnswering(world, child);
    await world.setWebhook(true);
    // The API server needs a moment to load the new webhook configuration.
    await sleep(2_000);
    const before = cpuOf(child);
    const figures = await createAll(world);
    return { ...figures, cpuMs: (cpuOf(child) - before) / (2 * COUNT) };
  } finally {
    await world.setWebhook(false);
    await child.stop(10_000);
  }
}

function startServer(world: World, program: 'webhook' | 'constant', flags: readonly string[]): Child {
  const { controlPlane, programs, webhookPort } = world;
  const pair = ['crt', 'key'].map(type => join(controlPlane.dir, 'installation', `tls.${type}`));
  const args = {
    webhook: [
      `--kubeconfig=${controlPlane.adminKubeconfig}`,
      `--address=127.0.0.1:${webhookPort}`,
      '--http-address=127.0.0.1:0',
      `--tls-cert-file=${pair[0]}`,
      `--tls-key-file=${pair[1]}`,
      '--drain-delay=0s',
      ...flags,
    ],
    constant: [String(webhookPort), ...pair],
  }[program];
  return startChild({
    name: program,
    command: process.execPath,
    args: [...NODE_FLAGS, programs[program], ...args],
    logPath: logFile(program),
    env: { ...process.env, ...compileCacheVariables(FOLDER) },
  });
}

async function untilAnswering(world: World, child: Child): Promise<void> {
  const ca = readFileSync(join(world.controlPlane.dir, 'installation', 'webhook-ca.crt'), 'utf8');
  const dispatcher = new Agent({ connect: { ca } });
  const url = `https://127.0.0.1:${world.webhookPort}/`;
  const isUp = () =>
    request(url, { dispatcher }).then(
      ({ body }) => body.dump().then(() => true),
      () => false,
    );
  const deadline = Date.now() + 60_000;
  while (!(await isUp())) {
    if (child.ending !== undefined || Date.now() > deadline) {
      throw new Error(`${child.name} does not respond; its log ends with:\n${logTail(child.logPath)}`);
    }
    await sleep(100);
  }
  await dispatcher.close();
}

/** Returns milliseconds of CPU time, user and system (fields 14 and 15 of /proc/<pid>/stat). */
function cpuOf({ pid }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MILLISECONDS_PER_TICK;
}
