// Starts etcd and kube-apiserver on free ports and waits until they are ready. Retries with other ports if another
// process takes one first. Leaves both running or none.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, logTail, startChild } from './child.ts';
import { freePort, waitUntilOk } from './loopback.ts';
import { apiServerArguments, etcdArguments, type Keys } from './servers.ts';
import type { ToolPaths } from './tools.ts';

export interface LaunchOptions {
  readonly dir: string;
  readonly keys: Keys;
  readonly tools: ToolPaths<'etcd' | 'kube-apiserver'>;
  readonly apiServerFlags: readonly string[];
  /** Used if it is free; 0 for any port. */
  readonly preferredPort: number;
}

export interface Servers {
  readonly url: string;
  /** In shutdown order. */
  readonly children: readonly Child[];
}

const ATTEMPTS = 5;
const READY_MS = 90_000;

/** Ready checks of the API server, plus the namespaces that it creates a moment later. */
const READY_PATHS = ['/readyz', '/api/v1/namespaces/default', '/api/v1/namespaces/kube-system'];

export async function launchServers(options: LaunchOptions): Promise<Servers> {
  for (let attempt = 1; ; attempt++) {
    const servers = await startServers(options, attempt === 1 ? options.preferredPort : 0);
    const failure = await failureToServe(servers, options.keys);
    if (failure === undefined) return servers;
    await stopChildren(servers.children, 0);
    if (attempt === ATTEMPTS || !failure.includes('address already in use')) throw new Error(failure);
  }
}

/** In sequence, so that a server can finish its writes to the next one. */
export async function stopChildren(children: readonly Child[], patience: number): Promise<void> {
  for (const child of children) await child.stop(patience);
}

function logPath(dir: string, name: string): string {
  return join(dir, 'logs', `${name}.log`);
}

/** Resolves with undefined once `ready` resolves, or with the reason why it did not. */
export async function failureOf(
  children: readonly Child[],
  ready: (signal: AbortSignal) => Promise<void>,
): Promise<string | undefined> {
  const over = new AbortController();
  const readiness = ready(AbortSignal.any([over.signal, AbortSignal.timeout(READY_MS)])).then(
    () => undefined,
    () => `not ready after ${READY_MS / 1000} s`,
  );
  const first = await Promise.race([readiness, ...children.map(child => child.ended.then(() => child))]);
  over.abort();
  if (first === undefined || typeof first === 'string') return first;
  return `${first.name}: ${first.ending}. Its log ends with:\n${logTail(first.logPath)}`;
}

async function startServers({ dir, tools, apiServerFlags }: LaunchOptions, preferred: number): Promise<Servers> {
  const [port, etcdPort, peerPort] = await Promise.all([freePort(preferred), freePort(), freePort()]);
  const start = async (name: 'etcd' | 'kube-apiserver', args: readonly string[]) => {
    await rm(logPath(dir, name), { force: true });
    return startChild({ name, command: tools[name], args, logPath: logPath(dir, name), cwd: dir });
  };
  const etcd = await start('etcd', etcdArguments(dir, etcdPort, peerPort));
  const apiServer = await start('kube-apiserver', [...apiServerArguments(dir, port, etcdPort), ...apiServerFlags]);
  return { url: `https://127.0.0.1:${port}`, children: [apiServer, etcd] };
}

function failureToServe({ url, children }: Servers, { authority, admin }: Keys): Promise<string | undefined> {
  const endpoint = { url, caPem: authority.certPem, client: admin };
  return failureOf(children, signal => waitUntilOk(endpoint, READY_PATHS, signal));
}
