// Runs docker-compose.yml on a separate Docker engine with images built from this checkout, and offers shortcuts for
// what users do. close() stops everything.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../build/bundle.ts';
import { findTools } from '../support/control-plane/find-tools.ts';
import type { CommandResult } from '../support/control-plane/run-command.ts';
import { DockerEngine } from '../support/docker/engine.ts';
import type { EnginePrograms } from '../support/docker/engine-programs.ts';
import { STAND_INS, writeStandIns } from '../support/docker/stand-in-images.ts';
import { makeServiceImages } from '../support/service-images.ts';

export const COMPOSE_FILE = join(ROOT, 'docker-compose.yml');

/** Owner of the kubeconfig folder: a user of the machine who is neither root nor the user of the images. */
export const FOLDER_OWNER = { uid: 1234, gid: 1234 };

export class ComposeStack {
  readonly engine: DockerEngine;
  readonly #kubectl: string;

  private constructor(engine: DockerEngine, kubectl: string) {
    this.engine = engine;
    this.#kubectl = kubectl;
  }

  /** Loads the images but starts no container. */
  static async open(programs: EnginePrograms): Promise<ComposeStack> {
    const [services, { kubectl }] = await Promise.all([makeServiceImages(), findTools(['kubectl'])]);
    const engine = await DockerEngine.start(programs);
    try {
      const stack = new ComposeStack(engine, kubectl);
      await mkdir(stack.kubeconfigs);
      await writeStandIns(engine.path('stand-ins.tar'));
      for (const archive of [services, engine.path('stand-ins.tar')]) await stack.docker(['load', '--input', archive]);
      return stack;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  get kubeconfigs(): string {
    return this.engine.path('kubeconfigs');
  }

  /** Returns standard output; fails with the command's error output. */
  async docker(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.engine.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async compose(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryCompose(...args);
    assert.equal(code, 0, `docker compose ${args.join(' ')}: ${stderr}\n${await this.#logTails()}`);
    return stdout;
  }

  tryCompose(...args: string[]): Promise<CommandResult> {
    const env = { ...STAND_INS, KUBECONFIG_FOLDER: this.kubeconfigs };
    return this.engine.docker(['compose', '--file', COMPOSE_FILE, ...args], env);
  }

  kubectl(user: string, ...args: string[]): Promise<CommandResult> {
    const kubeconfig = join(this.kubeconfigs, `${user}.kubeconfig`);
    return this.engine.run(this.#kubectl, ['--kubeconfig', kubeconfig, ...args]);
  }

  /** Returns the body of a GET response, as a browser would get it. */
  async fetch(url: string): Promise<string> {
    const script = `process.stdout.write(await (await fetch(${JSON.stringify(url)})).text())`;
    const { code, stdout, stderr } = await this.engine.run(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  close(): Promise<void> {
    return this.engine.stop();
  }

  async #logTails(): Promise<string> {
    const { stdout } = await this.tryCompose('logs', '--tail=8', '--no-color');
    return stdout;
  }
}
