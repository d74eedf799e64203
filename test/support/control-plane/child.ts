// Starts a program with its output in a log file and ensures that it stops: on stop(), or when this process exits for
// any reason, including SIGKILL. Never touches processes that it did not start.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { startGuard } from './guard.ts';
import type { Environment } from './tools.ts';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logPath: string;
  readonly cwd?: string;
  readonly env?: Environment;
}

export interface Child {
  readonly name: string;
  readonly logPath: string;
  /** undefined if the program could not be started. */
  readonly pid: number | undefined;
  /** How the program exited, such as `exit code 1`. undefined while it is running. */
  readonly ending: string | undefined;
  readonly ended: Promise<string>;
  /** Sends SIGTERM, sends SIGKILL after `patience` milliseconds, and resolves when the program has exited. */
  stop(patience: number): Promise<void>;
}

// Reads the child's process group, then either a line when the child has exited or end-of-file when this process has
// exited first. Then it sends SIGINT to the group, and SIGKILL after two seconds.
const GUARD = `read -r group || exit 0
read -r released && exit 0
kill -s INT -- "-$group" 2>/dev/null
i=0
while [ $i -lt 20 ] && kill -s 0 -- "-$group" 2>/dev/null; do i=$((i + 1)); sleep 0.1; done
kill -s KILL -- "-$group" 2>/dev/null`;

export function startChild(options: ChildOptions): Child {
  const log = openSync(options.logPath, 'a', 0o600);
  // Started before the child, because this process may be killed at any time.
  const guard = startGuard(GUARD);
  // A separate process group, so that Ctrl-C reaches only this process, which then stops its children in order.
  const child = detach(options, ['ignore', log, log]);
  closeSync(log);
  guard.write(`${child.pid ?? 'none'}\n`);
  let ending: string | undefined;
  const ended = endOf(child).then(how => {
    guard.end('released\n');
    ending = how;
    return how;
  });
  return {
    name: options.name,
    logPath: options.logPath,
    pid: child.pid,
    get ending() {
      return ending;
    },
    ended,
    stop: patience => stopChild(child, ended, patience),
  };
}

/** Returns the last lines of a log, for an error message. */
export function logTail(path: string, lines = 15): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

function detach({ command, args, cwd, env }: ChildOptions, stdio: StdioOptions): ChildProcess {
  const child = spawn(command, args, {
    stdio,
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env: { ...env } }),
  });
  child.unref();
  return child;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`failed to start: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

async function stopChild(child: ChildProcess, ended: Promise<string>, patience: number): Promise<void> {
  child.ref();
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), patience);
  await ended;
  clearTimeout(insist);
}
