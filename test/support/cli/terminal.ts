// Runs a command on a pseudo-terminal, with `script` of util-linux, and talks to it as a person would.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../until.ts';

export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown[]>;
  #shown = '';

  /** `command` is read by a shell. */
  constructor(command: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#shown += chunk.toString();
    });
  }

  /** All that was shown, escape sequences included. */
  get shown(): string {
    return this.#shown;
  }

  async sees(text: RegExp): Promise<void> {
    await until(() => text.test(this.#shown)).catch(() => {
      throw new Error(`the terminal does not show ${text}, but:\n${this.#shown}`);
    });
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** The exit code of the command. */
  async code(): Promise<number> {
    const [code] = await this.#ended;
    return code as number;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
