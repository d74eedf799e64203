// Runs a shell script that outlives this process and cleans up after it, even after SIGKILL. The script detects the
// exit by end-of-file on its standard input.

import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Returns the standard input of the script, which must `read` from it. `words` are its arguments $1, $2, … */
export function startGuard(script: string, ...words: readonly string[]): Writable {
  const guard = spawn('sh', ['-c', script, 'guard', ...words], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.unref();
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  return guard.stdin;
}
