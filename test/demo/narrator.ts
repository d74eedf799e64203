// Tells the story of the demo: prints each command before it runs and its output after, and stops the story when something
// is not as told, or when its signal says so. Colours only on a terminal.

import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { type CommandResult, runCommand } from '../support/control-plane/run-command.ts';
import type { Environment } from '../support/control-plane/tools.ts';

/** What a command must do for the story to go on. */
export interface Expectation {
  /** Whether it must succeed (default) or be refused. */
  readonly fails?: boolean;
  /** Words that its output must contain. */
  readonly says?: readonly string[];
  /** Runs it again for up to this many seconds until it is as told. */
  readonly within?: number;
}

export interface NarratorOptions {
  readonly out: NodeJS.WriteStream;
  /** Where the commands run, and with what environment. */
  readonly cwd: string;
  readonly env: Environment;
  /** Once it is aborted every method throws; a command that runs is waited for. */
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

  say(text: string): void {
    this.#print(`${text}\n`);
  }

  /** Shows a file that the next command uses. */
  show(name: string, content: string): void {
    this.#print(`${this.#style('dim', `# ${name}\n${content.trimEnd()}`)}\n`);
  }

  /** Prints and runs one command line, given as its words. */
  async run(words: readonly string[], expected: Expectation = {}): Promise<void> {
    await this.#tell(words.map(quote).join(' '), words, expected);
  }

  /** The same for a line with pipes and redirections. */
  async shell(line: string, expected: Expectation = {}): Promise<void> {
    await this.#tell(line, ['sh', '-c', line], expected);
  }

  async #tell(line: string, words: readonly string[], expected: Expectation): Promise<void> {
    this.#print(`${this.#style('cyan', `$ ${line}`)}\n`);
    const result = await this.#runUntil(words, expected);
    this.#print(indent(result.stdout + result.stderr));
    const complaint = complaintAbout(result, expected);
    if (complaint !== undefined) throw new Error(`The story did not go as told: \`${line}\` ${complaint}`);
  }

  /** Fetches a page and prints those of its lines that match. */
  async fetchLines(url: string, pattern: RegExp, says: readonly string[]): Promise<void> {
    this.#print(`${this.#style('cyan', `GET ${url}`)}   (lines that match ${pattern.source})\n`);
    const text = await (await fetch(url, { signal: this.#options.signal })).text();
    const lines = text.split('\n').filter(line => pattern.test(line));
    this.#print(indent(lines.join('\n')));
    const missing = says.find(words => !lines.some(line => line.includes(words)));
    if (missing !== undefined) throw new Error(`The story did not go as told: ${url} did not say "${missing}"`);
  }

  async #runUntil(words: readonly string[], expected: Expectation): Promise<CommandResult> {
    const deadline = Date.now() + (expected.within ?? 0) * 1000;
    const [command = '', ...args] = words;
    const { env, cwd } = this.#options;
    for (;;) {
      const result = await runCommand(command, args, { env, cwd });
      if (complaintAbout(result, expected) === undefined || Date.now() >= deadline) return result;
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

function complaintAbout({ code, stdout, stderr }: CommandResult, expected: Expectation): string | undefined {
  if ((code !== 0) !== (expected.fails ?? false))
    return expected.fails ? 'was not refused' : `failed with exit code ${code}`;
  const missing = expected.says?.find(words => !(stdout + stderr).includes(words));
  return missing && `did not say "${missing}"`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function indent(text: string): string {
  return text === '' ? '' : `${text.trimEnd().replaceAll(/^/gm, '  ')}\n`;
}
