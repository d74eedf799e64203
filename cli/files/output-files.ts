// Writes results to files: never over an existing file unless it is allowed, private keys for their owner only, and
// never half a file.

import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { CliError, usageError } from '../cli-error.ts';

export interface OutputFile {
  readonly path: string;
  readonly content: string;
  /** Permission bits. */
  readonly mode: 0o600 | 0o644;
}

/** Before anything is sent: an existing file is a usage error. */
export function requireFree(paths: readonly string[], isForced: boolean): void {
  const taken = isForced ? undefined : paths.find(path => existsSync(path));
  if (taken === undefined) return;
  throw usageError(`${taken} exists already`, 'Choose another --out, or overwrite with --force.');
}

/** With `isForced`, replaces the file at once; otherwise fails if it exists, also if it has just been created. */
export async function writeOutput(file: OutputFile, isForced: boolean): Promise<void> {
  try {
    if (isForced) await replace(file);
    else await create(file);
  } catch (cause) {
    throw new CliError(
      `cannot write ${file.path}: ${(cause as Error).message}`,
      'Check the folder and its permissions.',
      { cause },
    );
  }
}

async function create({ path, content, mode }: OutputFile): Promise<void> {
  // `wx` follows no link and opens no existing file.
  const handle = await open(path, 'wx', mode);
  try {
    // The umask may have taken bits away, but a key must never have more.
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function replace(file: OutputFile): Promise<void> {
  const draft = `${file.path}.${process.pid}.partial`;
  await rm(draft, { force: true });
  await create({ ...file, path: draft });
  await rename(draft, file.path);
}
