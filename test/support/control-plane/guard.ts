// A shell that lives on when this process goes, in whatever way (even SIGKILL), and then does what is left to do. It learns
// of it by the end of its standard input, which is a pipe from here.

import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Gives the standard input of the script, which is to `read` from it; `words` are its $1, $2, … */
export function startGuard(script: string, ...words: readonly string[]): Writable {
  const guard = spawn('sh', ['-c', script, 'guard', ...words], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.unref();
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  return guard.stdin;
}
