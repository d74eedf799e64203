// Runs one program to its end and hands back what it said. A non-zero exit code is an answer, not an exception.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Environment } from './tools.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env: Environment;
  /** Written to its standard input. */
  readonly input?: string;
  readonly cwd?: string;
}

export async function runCommand(
  path: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(path, args, { env: { ...options.env }, ...(options.cwd !== undefined && { cwd: options.cwd }) });
  const code = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', status => resolve(status ?? 1));
  });
  child.stdin.on('error', () => {}); // It may end without having read its input.
  child.stdin.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
