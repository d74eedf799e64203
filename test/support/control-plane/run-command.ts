// Runs a program and returns its exit code and output. A non-zero exit code is not an exception.

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
  /** Written to standard input. */
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
  child.stdin.on('error', () => {}); // The program may exit without reading its input.
  child.stdin.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
