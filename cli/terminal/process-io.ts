// The world of a command: the terminal, the files and the environment of this process. Never exits.

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { isatty } from 'node:tty';
import { CliError } from '../cli-error.ts';
import type { Io } from './io.ts';
import { safeText } from './safe-text.ts';
import { createStyle, wantsColours } from './style.ts';

/** For a terminal that does not know its size. */
const COLUMNS = 80;

/** `env` is the environment; only main.ts reads it. */
export function createProcessIo(env: Io['env']): Io {
  const { stdin, stdout, stderr } = process;
  const isLive = isatty(2) && env['TERM'] !== 'dumb';
  return {
    out: chunk => void stdout.write(chunk),
    err: chunk => void stderr.write(chunk),
    style: createStyle(wantsColours(isatty(1), env)),
    isInteractive: isatty(0) && isatty(2),
    ask,
    // CR and "erase to the end of the line".
    progress: line => void (isLive && stderr.write(`\r\u001b[K${safeText(line, (stderr.columns || COLUMNS) - 1)}`)),
    readText: path => (path === '-' ? text(stdin) : readTextFile(path)),
    env,
  };
}

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D ends the input without an answer.
  const ended = new Promise<string>(resolve => reader.once('close', () => resolve('')));
  // In a dialogue, the terminal passes Ctrl-C to the reader.
  reader.once('SIGINT', () => process.emit('SIGINT'));
  try {
    return await Promise.race([reader.question(question), ended]);
  } finally {
    reader.close();
  }
}

async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError((cause as Error).message, 'Check the path and its permissions.', { cause });
  }
}
