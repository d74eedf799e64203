// Starts one service as a process that acts as a ServiceAccount of the cluster: what RBAC allows here is what it allows to a pod.
// Installs nothing.

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { NODE_FLAGS } from '../../build/compile.ts';
import { type Child, logTail, startChild } from './control-plane/child.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export type ServiceName = 'signer' | 'webhook';

/** One service as a process, and where its metrics and health are served (http://127.0.0.1:port). */
export interface RunningService {
  readonly name: ServiceName;
  readonly url: string;
  readonly child: Child;
}

export interface ServiceCommand {
  readonly name: ServiceName;
  /** Of its health and metrics, as `args` have it. */
  readonly httpPort: number;
  readonly args: readonly string[];
  readonly logPath: string;
  /** What Node runs; the service from its sources if not given. */
  readonly program?: string;
}

/** Not ready yet: waitUntilReady says when it is. */
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
      throw new Error(`The ${name} did not start (${state}). The end of its log:\n${logTail(child.logPath)}`);
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
  /** The control plane's if not given. */
  readonly server?: string;
  readonly path: string;
}

/** A token of the ServiceAccount (TokenRequest API) in a kubeconfig, with its namespace. Gives the path. */
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
