// A Kubernetes cluster with one real node in separate namespaces: control plane, kubelet, containerd, pod network and
// Services. Removes everything it started, except the logs of a failed start.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from '../../../build/docker-archive.ts';
import type { User } from '../control-plane/authority.ts';
import type { Child } from '../control-plane/child.ts';
import { commandEnvironment } from '../control-plane/command-environment.ts';
import type { CommandInput } from '../control-plane/control-plane.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { kubeconfigName, writeKubeconfig } from '../control-plane/kubeconfig.ts';
import { createProgress } from '../control-plane/progress.ts';
import { type CommandResult, runCommand } from '../control-plane/run-command.ts';
import type { ToolName, ToolPaths } from '../control-plane/tools.ts';
import { type Booted, boot, type NodeParts, start, startServer } from './boot.ts';
import { NODE_NAME } from './configuration.ts';
import { childOf, NodeSandbox } from './node-sandbox.ts';
import type { Programs } from './programs.ts';

export interface NodeOptions {
  readonly programs: Programs;
  /** docker-archives to import into the node. */
  readonly imageArchives: readonly string[];
  /** More images for them. */
  readonly images?: readonly Image[];
}

export const NODE_TOOLS: readonly ToolName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'pause',
  'kubectl',
  'helm',
];

const READY_MS = 60_000;

/** Resolves when the node is Ready. */
export async function startNode({ programs, imageArchives, images = [] }: NodeOptions): Promise<RealNode> {
  const tools: ToolPaths = await findTools([...NODE_TOOLS]);
  const step = createProgress().step('starting a node');
  const world = await NodeSandbox.open();
  try {
    const node = new RealNode(
      { world, programs, tools },
      await boot({ world, programs, tools }, { archives: imageArchives, images }),
    );
    await node.writeAdmin();
    await node.eventually('the node is Ready', async () => (await node.isReady()) || undefined, READY_MS);
    return node;
  } catch (cause) {
    const tails = await world.logTails();
    await world.close({ keep: true });
    throw new Error(`The node did not start. Its logs are in ${world.dir}/logs\n${tails}`, { cause });
  } finally {
    step.done();
  }
}

export class RealNode {
  readonly url: string;
  readonly caPem: string;
  readonly dir: string;
  readonly adminKubeconfig: string;
  readonly #machinery: NodeParts;
  readonly #booted: Booted;

  constructor(machinery: NodeParts, booted: Booted) {
    this.#machinery = machinery;
    this.#booted = booted;
    this.dir = machinery.world.dir;
    this.url = `https://127.0.0.1:${booted.relay.port}`;
    this.caPem = booted.keys.authority.certPem;
    this.adminKubeconfig = join(this.dir, 'kubeconfig');
  }

  async writeAdmin(): Promise<void> {
    await writeKubeconfig(this.adminKubeconfig, this, 'admin', this.#booted.keys.admin);
  }

  /** Returns the path of a kubeconfig for a user whose only permissions come from RBAC. */
  async kubeconfigFor({ user, groups = [] }: User): Promise<string> {
    const pair = await this.#booted.keys.authority.issueClient({ user, groups });
    return writeKubeconfig(join(this.dir, 'users', kubeconfigName(user, groups)), this, user, pair);
  }

  kubectl(args: readonly string[], command: CommandInput = {}): Promise<CommandResult> {
    return this.#run('kubectl', args, command);
  }

  helm(args: readonly string[], command: CommandInput = {}): Promise<CommandResult> {
    return this.#run('helm', args, command);
  }

  /** Runs a program beside the pods, in the network of the node and on its address, until the node stops. */
  startProgram(name: string, command: string, args: readonly string[]): Child {
    const child = start(this.#machinery, command, args, name);
    this.#booted.children.push(child);
    return child;
  }

  async isReady(): Promise<boolean> {
    const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    return (await this.kubectl(['get', 'node', NODE_NAME, '-o', path])).stdout === 'True';
  }

  /** Polls until `probe` returns a value. */
  async eventually<T>(what: string, probe: () => Promise<T | undefined>, withinMs: number): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`Timeout after ${withinMs / 1000} s: ${what}`);
      await sleep(200);
    }
  }

  /** Pods go on running. Returns when the new kubelet has reported the node as Ready. */
  async restartKubelet(): Promise<void> {
    const { children } = this.#booted;
    const old = children.findLast(({ name }) => name === 'kubelet');
    const restartedAt = Math.floor(Date.now() / 1000) * 1000;
    // nsenter, which is the child, ends after it.
    process.kill(await childOf(old?.pid), 'SIGTERM');
    await old?.ended;
    children.push(startServer(this.#machinery, 'kubelet'));
    const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].lastHeartbeatTime}';
    const reported = async () => Date.parse((await this.kubectl(['get', 'node', NODE_NAME, '-o', path])).stdout);
    const isBack = async () => ((await reported()) > restartedAt && (await this.isReady())) || undefined;
    await this.eventually('the node is Ready again', isBack, READY_MS);
  }

  /** Resolves when all processes, mounts, networks and cgroups of the node are gone and its folder is removed. */
  async stop(): Promise<void> {
    this.#booted.relay.close();
    await this.#machinery.world.close();
    await Promise.all(this.#booted.children.map(child => child.stop(0)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #run(tool: 'kubectl' | 'helm', args: readonly string[], command: CommandInput): Promise<CommandResult> {
    const { kubeconfig = this.adminKubeconfig, input = '' } = command;
    return runCommand(this.#machinery.tools[tool], args, { env: commandEnvironment(this.dir, kubeconfig), input });
  }
}
