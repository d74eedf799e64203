// Measures the cost of the webhook for CSR creation: latency and rate without a webhook, with the webhook, and with the
// webhook's server returning a constant response. Also measures the webhook's memory.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { NODE_FLAGS, serviceVariables } from '../../build/compile.ts';
import { type Child, logTail, startChild } from '../support/control-plane/child.ts';
import { BENCH_NAMESPACE, type Figures, logFile, REQUESTER, type World } from './bench-cluster.ts';
import type { Measured, Plan } from './measurements.ts';
import { processCpuMs, residentMB } from './process-figures.ts';
import { NO_TARGET } from './row.ts';
import { alternate, compare } from './sides.ts';
import { TARGETS } from './targets.ts';

const COUNT = 1_000;
const IN_FLIGHT = 16;
/** Between two readings of the memory. */
const CREATIONS = 5_000;
const MOST_MEMORY_RUNS = 3;
const MEMORY_TARGET_MB = 80;

export async function measureAdmission(world: World, { runs }: Plan): Promise<Measured> {
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
  const sides = { ours, theirs: none };
  const busy = { ours, theirs: constant };
  return {
    rows: [
      compare(p50, 'p50', sides, TARGETS.createP50),
      compare(rate, 'rate', sides, TARGETS.createRate),
      compare(cpu, 'cpuMs', busy, TARGETS.admissionCpu),
      compare(p50 + each, 'p50', { ...sides, ours: asking }, NO_TARGET),
      compare(rate + each, 'rate', { ...sides, ours: asking }, NO_TARGET),
      compare(cpu + each, 'cpuMs', { ...busy, ours: asking }, NO_TARGET),
    ],
  };
}

/** Idle, and after 5 000 and 10 000 creations. */
export async function measureWebhookMemory(world: World, { runs }: Plan): Promise<Measured> {
  const { ours } = await alternate(Math.min(runs, MOST_MEMORY_RUNS), {
    ours: () =>
      withServer(world, 'webhook', [], async child => {
        const idleMB = residentMB(child.pid);
        await createAll(world, CREATIONS);
        const halfMB = residentMB(child.pid);
        await createAll(world, CREATIONS);
        return { idleMB, halfMB, afterMB: residentMB(child.pid) };
      }),
  });
  const sides = { ours, theirs: ours };
  const after = 'resident memory of the webhook after 10 000 creations';
  const limit = () => MEMORY_TARGET_MB;
  return {
    rows: [
      compare('resident memory of the idle webhook vs. 80 MB', ['idleMB', limit], sides, TARGETS.webhookMemory),
      compare(`${after} vs. 80 MB`, ['afterMB', limit], sides, TARGETS.webhookMemory),
      compare(`${after} vs. after 5 000 (MB)`, ['afterMB', 'halfMB'], sides, TARGETS.webhookGrowth),
    ],
  };
}

/** Creates half of them one by one and half in parallel. */
function createAll(world: World, count = 2 * COUNT): Promise<Figures> {
  const signer = `issuers.cert-manager.io/${BENCH_NAMESPACE}.ec`;
  return world.drive('create', { count: count / 2, parallel: IN_FLIGHT, as: REQUESTER, signer });
}

/** Runs the same with a server as the webhook, and measures its CPU time per admission. */
function behind(world: World, program: 'webhook' | 'constant', flags: readonly string[] = []): Promise<Figures> {
  return withServer(world, program, flags, async ({ pid }) => {
    const before = processCpuMs(pid);
    const figures = await createAll(world);
    return { ...figures, cpuMs: (processCpuMs(pid) - before) / (2 * COUNT) };
  });
}

async function withServer(
  world: World,
  program: 'webhook' | 'constant',
  flags: readonly string[],
  measure: (child: Child) => Promise<Figures>,
): Promise<Figures> {
  const child = startServer(world, program, flags);
  try {
    await untilAnswering(world, child);
    await world.setWebhook(true);
    // The API server needs a moment to load the new webhook configuration.
    await sleep(2_000);
    return await measure(child);
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
    env: { ...process.env, ...serviceVariables(dirname(programs[program])) },
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
