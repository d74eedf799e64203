// Runs a service as a process with a token of a ServiceAccount of the cluster, so that the same RBAC applies as for a
// pod. Installs nothing.

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { NODE_FLAGS } from '../../build/compile.ts';
import { type Child, logTail, startChild } from './control-plane/child.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export type ServiceName = 'signer' | 'webhook' | 'approver';

/** A running service and the URL of its metrics and health (http://127.0.0.1:port). */
export interface RunningService {
  readonly name: ServiceName;
  readonly url: string;
  readonly child: Child;
}

export interface ServiceCommand {
  readonly name: ServiceName;
  /** The address of health and metrics, as in `args`. */
  readonly httpPort: number;
  readonly args: readonly string[];
  readonly logPath: string;
  /** The program that Node runs. Defaults to the service's source. */
  readonly program?: string;
}

/** Starts the process; waitUntilReady waits until it is ready. */
export function startService({ name, httpPort, args, logPath, program }: ServiceCommand): RunningService {
  const source = `${ROOT}services/${name}/main.ts`;
  const { KUBECONFIG: _, ...env } = process.env;
  const command = process.execPath;
  const child = startChild({
    name,
    command,
    args: [...NODE_FLAGS, program ?? source, ...args],
    logPath,
    env,
  });
  return { name, url: `http://127.0.0.1:${httpPort}`, child };
}

export async function waitUntilReady({ name, url, child }: RunningService): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isOk(`${url}/readyz`))) {
    if (child.ending !== undefined || Date.now() > deadline) {
      const state = child.ending ?? 'not ready within 30 s';
      throw new Error(`The ${name} did not start (${state}). Its log ends with:\n${logTail(child.logPath)}`);
    }
    await sleep(50);
  }
}

function isOk(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const call = request(url, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('error', () => resolve(false));
    call.end();
  });
}

export interface AccountKubeconfig {
  /** The name of a ServiceAccount. */
  readonly account: string;
  readonly namespace: string;
  /** Defaults to the control plane's. */
  readonly server?: string;
  readonly path: string;
}

/** Writes a kubeconfig with a token of the ServiceAccount (TokenRequest API) and its namespace. Returns the path. */
export async function writeAccountKubeconfig(
  controlPlane: ControlPlane,
  { account, namespace, server = controlPlane.url, path }: AccountKubeconfig,
): Promise<string> {
  const create = ['create', 'token', account, '-n', namespace, '--duration=24h'];
  const { code, stdout, stderr } = await controlPlane.kubectl(create);
  if (code !== 0) throw new Error(`kubectl ${create.join(' ')}: ${stderr}`);
  const cluster = {
    server,
    'certificate-authority-data': Buffer.from(controlPlane.caPem).toString('base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'countersign', cluster }],
    users: [{ name: account, user: { token: stdout.trim() } }],
    contexts: [{ name: 'countersign', context: { cluster: 'countersign', user: account, namespace } }],
    'current-context': 'countersign',
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}
