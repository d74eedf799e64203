// A separate Kubernetes control plane on 127.0.0.1: etcd and kube-apiserver with RBAC, client certificates for users,
// and kubectl and helm configured for it. Stops only what it started and never reads the user's kubeconfig.

import { join } from 'node:path';
import type { User } from './authority.ts';
import { commandEnvironment } from './command-environment.ts';
import { findTools } from './find-tools.ts';
import { closeFolder, type Folder, openFolder } from './folder.ts';
import { kubeconfigName, readServer, type Server, writeKubeconfig } from './kubeconfig.ts';
import { launchServers, type Servers, stopChildren } from './launch.ts';
import type { Progress } from './progress.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { type Keys, prepareKeys } from './servers.ts';
import type { ToolPaths } from './tools.ts';

export interface ControlPlaneOptions {
  /**
   * A folder to keep and reuse with its data and, if it is free, its port. Defaults to a temporary folder that is
   * removed at the end.
   */
  readonly dir?: string;
  readonly progress?: Progress;
  /** Appended to the default flags, so that they override them: `['--audit-policy-file=…']`. */
  readonly apiServerFlags?: readonly string[];
}

export interface CommandInput {
  /** Defaults to the administrator's. */
  readonly kubeconfig?: string;
  /** Standard input. */
  readonly input?: string;
}

/** Resolves when the control plane is ready. On failure nothing keeps running, and the error names the log folder. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const finding = options.progress ? { progress: options.progress } : {};
  const tools = await findTools(['etcd', 'kube-apiserver', 'kubectl'], finding);
  const folder = await openFolder(options.dir);
  const step = options.progress?.step('starting etcd and kube-apiserver');
  try {
    return await startIn(folder, tools, options);
  } catch (cause) {
    await closeFolder(folder, { keepLogs: true });
    throw new Error(`The control plane did not start. Its logs are in ${join(folder.dir, 'logs')}`, { cause });
  } finally {
    step?.done();
  }
}

async function startIn(folder: Folder, tools: StartTools, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dir } = folder;
  const kubeconfig = join(dir, 'kubeconfig');
  const [keys, last] = await Promise.all([prepareKeys(dir), readServer(kubeconfig)]);
  const preferredPort = last === undefined ? 0 : Number(new URL(last.url).port);
  const { apiServerFlags = [], progress } = options;
  const servers = await launchServers({ dir, keys, tools, apiServerFlags, preferredPort });
  const server = { url: servers.url, caPem: keys.authority.certPem };
  await writeKubeconfig(kubeconfig, server, 'admin', keys.admin);
  return new ControlPlane({ folder, keys, servers, tools, finding: progress ? { progress } : {} });
}

type StartTools = ToolPaths<'etcd' | 'kube-apiserver' | 'kubectl'>;

interface Parts {
  readonly folder: Folder;
  readonly keys: Keys;
  readonly servers: Servers;
  readonly tools: ToolPaths<'kubectl'>;
  readonly finding: { readonly progress?: Progress };
}

export class ControlPlane {
  readonly dir: string;
  readonly url: string;
  /** The CA of the API server's serving certificate. */
  readonly caPem: string;
  /** The path of a kubeconfig for a member of system:masters. */
  readonly adminKubeconfig: string;
  /** Resolves with the reason if one of the servers exits before stop() is called. */
  readonly broken: Promise<string>;
  readonly #parts: Parts;
  #stopping: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.dir = parts.folder.dir;
    this.url = parts.servers.url;
    this.caPem = parts.keys.authority.certPem;
    this.adminKubeconfig = join(this.dir, 'kubeconfig');
    this.broken = new Promise(resolve => {
      for (const child of parts.servers.children)
        void child.ended.then(ending => this.#stopping ?? resolve(`${child.name}: ${ending}`));
    });
  }

  /** The running processes of this control plane. */
  get pids(): readonly number[] {
    return this.#parts.servers.children.flatMap(({ pid, ending }) =>
      pid === undefined || ending !== undefined ? [] : [pid],
    );
  }

  /** Returns the path of a kubeconfig for a user whose only permissions come from RBAC. */
  async kubeconfigFor({ user, groups = [] }: User): Promise<string> {
    const pair = await this.#parts.keys.authority.issueClient({ user, groups });
    return writeKubeconfig(join(this.dir, 'users', kubeconfigName(user, groups)), this.#server, user, pair);
  }

  kubectl(args: readonly string[], command: CommandInput = {}): Promise<CommandResult> {
    return this.#run(this.#parts.tools.kubectl, args, command);
  }

  /** Builds helm first if it is missing. */
  async helm(args: readonly string[], command: CommandInput = {}): Promise<CommandResult> {
    const { helm } = await findTools(['helm'], this.#parts.finding);
    return this.#run(helm, args, command);
  }

  /**
   * Resolves when all processes have exited. Removes a temporary folder unless a server exited early or `keep` is set.
   */
  stop({ keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stop(keep);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(keep: boolean): Promise<void> {
    const { folder, servers } = this.#parts;
    const ended = servers.children.filter(child => child.ending !== undefined);
    // Kills the servers of a temporary folder, because a graceful shutdown takes a second and their data is
    // removed anyway.
    const patience = folder.lock === undefined ? 0 : 5_000;
    await stopChildren(servers.children, patience);
    const keepLogs = keep || ended.length > 0;
    await closeFolder(folder, { keepLogs });
    const reason = ended.map(({ name, ending }) => `${name} exited early (${ending}). `).join('');
    if (keepLogs) process.stderr.write(`${reason}The logs of the control plane are in ${join(this.dir, 'logs')}\n`);
  }

  get #server(): Server {
    return { url: this.url, caPem: this.caPem };
  }

  #run(path: string, args: readonly string[], { kubeconfig = this.adminKubeconfig, input = '' }: CommandInput) {
    const env = commandEnvironment(this.dir, kubeconfig);
    return runCommand(path, args, { env, input });
  }
}
