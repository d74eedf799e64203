// A Docker engine with the compose plugin in separate namespaces. It does not affect other engines, networks or images
// of the machine, and everything in it is removed when it stops.

import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, logTail, startChild } from '../control-plane/child.ts';
import { type CommandResult, runCommand } from '../control-plane/run-command.ts';
import type { Environment } from '../control-plane/tools.ts';
import { NodeSandbox } from '../node/node-sandbox.ts';
import type { EnginePrograms } from './engine-programs.ts';
import { findModuleTool, MODULE_TOOLS } from './module-tool.ts';

const READY_MS = 30_000;

export class DockerEngine {
  readonly #world: NodeSandbox;
  readonly #programs: EnginePrograms;
  #child: Child | undefined;

  private constructor(world: NodeSandbox, programs: EnginePrograms) {
    this.#world = world;
    this.#programs = programs;
  }

  /** Resolves when the engine responds. */
  static async start(programs: EnginePrograms): Promise<DockerEngine> {
    const plugin = await findModuleTool(MODULE_TOOLS['docker-compose']);
    const engine = new DockerEngine(await NodeSandbox.open(), programs);
    try {
      await mkdir(engine.path('config/cli-plugins'), { recursive: true });
      await symlink(plugin, engine.path('config/cli-plugins/docker-compose'));
      await engine.#start();
      return engine;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  /** Returns the path of a file in the engine's folder. */
  path(name: string): string {
    return join(this.#world.dir, name);
  }

  docker(args: readonly string[], env: Environment = {}): Promise<CommandResult> {
    return this.run(this.#programs.docker, args, {
      DOCKER_HOST: `unix://${this.path('docker.sock')}`,
      DOCKER_CONFIG: this.path('config'),
      ...env,
    });
  }

  /** Runs a program in the engine's network, where published ports are reachable. */
  run(program: string, args: readonly string[], env: Environment = {}): Promise<CommandResult> {
    const [command, ...words] = this.#world.enter(program, args);
    const own = { PATH: this.#programs.searchPath, HOME: this.#world.dir };
    return runCommand(command, words, { env: { ...own, ...env }, cwd: this.#world.dir });
  }

  /**
   * Resolves when all containers, processes, mounts and networks are gone, and the folder with the images is removed.
   */
  async stop(): Promise<void> {
    await this.#world.close();
    await this.#child?.stop(0);
  }

  async #start(): Promise<void> {
    const [command, ...args] = this.#world.enter(this.#programs.dockerd, this.#flags());
    const logPath = this.#world.log('dockerd');
    const env = { PATH: this.#programs.searchPath, HOME: this.#world.dir };
    this.#child = startChild({ name: 'dockerd', command, args, logPath, env });
    const deadline = Date.now() + READY_MS;
    while ((await this.docker(['version'])).code !== 0) {
      const { ending } = this.#child;
      if (ending !== undefined || Date.now() > deadline)
        throw new Error(
          `dockerd does not respond (${ending ?? 'it is running'}). Its log ends with:\n${logTail(logPath)}`,
        );
      await sleep(100);
    }
  }

  /** The network that compose creates is a bridge anyway. It resolves names but has no route to the outside. */
  #flags(): string[] {
    return [
      `--host=unix://${this.path('docker.sock')}`,
      `--data-root=${this.path('docker')}`,
      `--exec-root=${this.path('docker-run')}`,
      `--pidfile=${this.path('docker.pid')}`,
      `--cgroup-parent=${this.#world.cgroup}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--storage-driver=overlay2',
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
    ];
  }
}
