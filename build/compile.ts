// Fills the compile cache (NODE_COMPILE_CACHE) for all files in the folder of a program: `node build/compile.ts
// PROGRAM.mjs`. The cache is used only by the same Node version, started with the same flags and environment variables;
// otherwise Node compiles as usual.

import { execFile } from 'node:child_process';
import { chmod, glob, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Returns the compile cache folder for the programs in `folder`. */
export function compiledFolder(folder: string): string {
  return join(folder, 'compile-cache');
}

/**
 * Node flags for compiling and running; with different flags, Node ignores the cache. Together they make 100 MB of the
 * signer's 123 after 2 000 certificates and of the webhook's 117 after 10 000 creations (with a semi-space of 4 MB and
 * 30 % of growth), at the same rate (medians of 5 alternating runs of the signer, one of the webhook):
 *
 * - Efficiency mode compiles only what runs often: 9 % less CPU time, 6 MB more.
 * - Memory-saver mode returns freed pages to the system after each garbage collection: 25 MB less.
 * - The heap grows by 80 % of what is in use before a collection. With 100 %, 10 % less CPU time and 10 MB more.
 * - The semi-space is 8 MB, not 32, twice.
 */
export const NODE_FLAGS: readonly string[] = [
  '--efficiency-mode',
  '--memory-saver-mode',
  '--max-semi-space-size=8',
  '--heap-growing-percent=80',
];

/**
 * Returns the environment variables of a service. They make Node use the compile cache in `folder`, even if the folder
 * was moved or built by another user, and make glibc keep one heap instead of one for each thread (154 instead of 171
 * MB) and return what is free at its end (142 instead of 147 MB; glibc's default, which it would change itself).
 */
export function serviceVariables(folder: string): Record<string, string> {
  return {
    NODE_COMPILE_CACHE: compiledFolder(folder),
    NODE_COMPILE_CACHE_PORTABLE: '1',
    MALLOC_ARENA_MAX: '1',
    MALLOC_TRIM_THRESHOLD_: '131072',
  };
}

export async function compile(program: string): Promise<void> {
  const folder = dirname(program);
  await rm(compiledFolder(folder), { recursive: true, force: true });
  const env = { ...process.env, ...serviceVariables(folder) };
  // Loading a file compiles all of it, so any command will do. Parts that the program loads only with some options are
  // loaded before it.
  const parts = (await readdir(folder)).filter(name => name.endsWith('.mjs') && name !== basename(program));
  const imports = parts.flatMap(name => ['--import', join(folder, name)]);
  await promisify(execFile)(process.execPath, [...NODE_FLAGS, ...imports, program, '--help'], { env });
  // Node creates the files with mode 0600.
  for await (const file of glob(join(compiledFolder(folder), '*', '*'))) await chmod(file, 0o644);
}

if (import.meta.main) {
  const [program] = process.argv.slice(2);
  if (program === undefined) {
    process.stderr.write('Usage: node build/compile.ts PROGRAM.mjs\n');
    process.exit(2);
  }
  await compile(program);
}
