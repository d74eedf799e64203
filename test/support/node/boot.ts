// Starts the components of a node in order, in separate namespaces, and waits until the API server is ready. The caller
// stops them by closing the namespaces.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Image, writeDockerArchive } from '../../../build/docker-archive.ts';
import { type Child, startChild } from '../control-plane/child.ts';
import { failureOf } from '../control-plane/launch.ts';
import { waitUntilOk } from '../control-plane/loopback.ts';
import { runCommand } from '../control-plane/run-command.ts';
import type { Keys } from '../control-plane/servers.ts';
import type { ToolName, ToolPaths } from '../control-plane/tools.ts';
import {
  containerdConfiguration,
  kubeletConfiguration,
  networkConfiguration,
  PAUSE_IMAGE,
  runtimeSocket,
} from './configuration.ts';
import { API_PORT, prepareNodeKeys } from './keys.ts';
import type { NodeSandbox } from './node-sandbox.ts';
import { programImage } from './program-image.ts';
import type { Programs } from './programs.ts';
import { Relay, relayCommand } from './relay.ts';
import { nodeServers, storageServers } from './servers.ts';

export interface NodeParts {
  readonly world: NodeSandbox;
  readonly programs: Programs;
  readonly tools: ToolPaths;
}

export interface Booted {
  readonly keys: Keys;
  readonly relay: Relay;
  readonly children: Child[];
}

/** What the pods of a node run. */
export interface NodeImages {
  /** Paths of docker-archives. */
  readonly archives: readonly string[];
  readonly images: readonly Image[];
}

const READY_PATHS = ['/readyz', '/api/v1/namespaces/default', '/api/v1/namespaces/kube-system'];
const RUNTIME_MS = 20_000;

export async function boot(machinery: NodeParts, images: NodeImages): Promise<Booted> {
  const { dir } = machinery.world;
  const keys = await prepareNodeKeys(dir);
  await writeConfiguration(machinery);
  const servers = storageServers(dir).map(([name, args]) => start(machinery, machinery.tools[name], args, name));
  const socket = join(dir, 'api.sock');
  const [command, args] = relayCommand(socket, API_PORT);
  const children = [...servers, start(machinery, command, args, 'relay')];
  const relay = await Relay.listen(socket);
  await Promise.all([startRuntime(machinery, images), apiServerIsReady(relay, keys, children)]);
  for (const [name] of nodeServers(dir)) children.push(startServer(machinery, name));
  return { keys, relay, children };
}

/** One of those that need a ready API server. */
export function startServer(machinery: NodeParts, name: ToolName): Child {
  const [, flags] = nodeServers(machinery.world.dir).find(([server]) => server === name) ?? [];
  if (flags === undefined) throw new TypeError(`${name} is no server of a node`);
  return start(machinery, machinery.tools[name], flags, name);
}

async function writeConfiguration({ world, programs }: NodeParts): Promise<void> {
  const { dir } = world;
  await mkdir(join(dir, 'cni'));
  await Promise.all([
    writeFile(join(dir, 'containerd.toml'), containerdConfiguration(dir, programs)),
    writeFile(join(dir, 'cni', 'pods.conflist'), networkConfiguration(dir)),
    writeFile(join(dir, 'kubelet.yaml'), kubeletConfiguration(world)),
  ]);
}

/** Runs a program in the namespaces of the node. */
export function start({ world, programs }: NodeParts, command: string, args: readonly string[], name: string): Child {
  const [program, ...words] = world.enter(command, args);
  const env = { ...process.env, PATH: programs.searchPath };
  return startChild({ name, command: program, args: words, logPath: world.log(name), cwd: world.dir, env });
}

/** Starts containerd and imports the images. */
async function startRuntime(machinery: NodeParts, { archives, images }: NodeImages): Promise<void> {
  const { world, programs, tools } = machinery;
  const own = join(world.dir, 'images.tar');
  await writeDockerArchive(own, [await programImage(PAUSE_IMAGE, tools.pause), ...images]);
  const runtime = start(
    machinery,
    programs.paths.containerd,
    ['--config', join(world.dir, 'containerd.toml')],
    'containerd',
  );
  await runtimeAnswers(machinery, runtime);
  for (const archive of [own, ...archives]) await ctr(machinery, ['images', 'import', archive]);
}

async function runtimeAnswers(machinery: NodeParts, runtime: Child): Promise<void> {
  const deadline = Date.now() + RUNTIME_MS;
  for (;;) {
    const failure = await ctr(machinery, ['version']).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (failure === undefined) return;
    if (runtime.ending !== undefined || Date.now() > deadline)
      throw new Error(`containerd does not respond: ${failure}`);
    await sleep(100);
  }
}

async function ctr({ world, programs }: NodeParts, args: readonly string[]): Promise<void> {
  const common = ['--address', runtimeSocket(world.dir), '--namespace', 'k8s.io'];
  const [program, ...words] = world.enter(programs.paths.ctr, [...common, ...args]);
  const { code, stderr } = await runCommand(program, words, { env: process.env });
  if (code !== 0) throw new Error(`ctr ${args.join(' ')}: ${stderr}`);
}

async function apiServerIsReady(relay: Relay, { authority, admin }: Keys, children: readonly Child[]): Promise<void> {
  const endpoint = { url: `https://127.0.0.1:${relay.port}`, caPem: authority.certPem, client: admin };
  const failure = await failureOf(children, signal => waitUntilOk(endpoint, READY_PATHS, signal));
  if (failure !== undefined) throw new Error(failure);
}
