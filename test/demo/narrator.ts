// Prints the demo: each command before it runs, and its output afterwards. Throws if a step does not have the expected
// result, or if the signal is aborted. Uses colours only on a terminal.

import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import type { Environment } from '../support/control-plane/tools.ts';

/** The expected result of a command. */
export interface Expectation {
  /** Whether the command must fail. Defaults to false. */
  readonly fails?: boolean;
  /** Texts that the output must contain. */
  readonly prints?: readonly string[];
  /** Repeats the command for up to this number of seconds until it has the expected result. */
  readonly within?: number;
}

export interface NarratorOptions {
  readonly out: NodeJS.WriteStream;
  /** Working directory and environment of the commands. */
  readonly cwd: string;
  readonly env: Environment;
  /** After it is aborted, every method throws once the current command has exited. */
  readonly signal: AbortSignal;
}

export class Narrator {
  readonly #options: NarratorOptions;

  constructor(options: NarratorOptions) {
    this.#options = options;
  }

  heading(text: string): void {
    this.#print(`\n${this.#style('bold', text)}\n`);
  }

  explain(text: string): void {
    this.#print(`${text}\n`);
  }

  /** Prints a file that the next command uses. */
  show(name: string, content: string): void {
    this.#print(`${this.#style('dim', `# ${name}\n${content.trimEnd()}`)}\n`);
  }

  /** Prints and runs a command. */
  async run(words: readonly string[], expected: Expectation = {}): Promise<void> {
    await this.#step(words.map(quote).join(' '), words, expected);
  }

  /** Prints and runs a shell command with pipes or redirections. */
  async shell(line: string, expected: Expectation = {}): Promise<void> {
    await this.#step(line, ['sh', '-c', line], expected);
  }

  async #step(line: string, words: readonly string[], expected: Expectation): Promise<void> {
    this.#print(`${this.#style('cyan', `$ ${line}`)}\n`);
    const result = await this.#runUntil(words, expected);
    this.#print(indent(result.stdout + result.stderr));
    const failure = findFailure(result, expected);
    if (failure !== undefined) throw new Error(`A step of the demo failed: \`${line}\` ${failure}`);
  }

  /** Fetches a page and prints the lines that match, along with the equivalent shell command. */
  async fetchLines(url: string, pattern: RegExp, prints: readonly string[]): Promise<void> {
    this.#print(`${this.#style('cyan', `$ curl -s ${url} | grep -E '${pattern.source}'`)}\n`);
    const text = await (await fetch(url, { signal: this.#options.signal })).text();
    const lines = text.split('\n').filter(line => pattern.test(line));
    this.#print(indent(lines.join('\n')));
    const missing = prints.find(words => !lines.some(line => line.includes(words)));
    if (missing !== undefined) throw new Error(`A step of the demo failed: ${url} does not contain "${missing}"`);
  }

  async #runUntil(words: readonly string[], expected: Expectation): Promise<CommandResult> {
    const deadline = Date.now() + (expected.within ?? 0) * 1000;
    const [command = '', ...args] = words;
    const { env, cwd } = this.#options;
    for (;;) {
      const result = await runCommand(command, args, { env, cwd });
      if (findFailure(result, expected) === undefined || Date.now() >= deadline) return result;
      await sleep(100, undefined, { signal: this.#options.signal });
    }
  }

  #print(text: string): void {
    this.#options.signal.throwIfAborted();
    this.#options.out.write(text);
  }

  #style(style: 'bold' | 'dim' | 'cyan', text: string): string {
    return styleText(style, text, { stream: this.#options.out });
  }
}

function findFailure({ code, stdout, stderr }: CommandResult, expected: Expectation): string | undefined {
  if ((code !== 0) !== (expected.fails ?? false))
    return expected.fails ? 'should have failed' : `failed with exit code ${code}`;
  const missing = expected.prints?.find(words => !(stdout + stderr).includes(words));
  return missing && `did not print "${missing}"`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function indent(text: string): string {
  return text === '' ? '' : `${text.trimEnd().replaceAll(/^/gm, '  ')}\n`;
}
