// The folder of one control plane: a temporary one that is removed when this process exits for any reason, or a given
// one that is kept and locked against concurrent use. Never removes anything from a given folder.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { startGuard } from './guard.ts';
import { type LockFile, tryLock } from './lock-file.ts';

export interface Folder {
  readonly dir: string;
  /** undefined for a temporary folder. */
  readonly lock: LockFile | undefined;
  /** Set for a temporary folder. */
  readonly sweeper?: Writable;
}

// Reads a line when the folder is closed, or end-of-file when this process has exited first. Then it removes the folder
// repeatedly for a few seconds, because a server that is still being stopped may write to it (child.ts).
const SWEEPER = `read -r closed && exit 0
i=0
while [ $i -lt 30 ]; do i=$((i + 1)); rm -rf "$1"; sleep 0.2; done`;

export async function openFolder(dir: string | undefined): Promise<Folder> {
  const folder = dir === undefined ? await temporaryFolder() : await lockFolder(dir);
  for (const name of ['logs', 'users']) await mkdir(join(folder.dir, name), { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes etcd's data even if the logs are kept: it is large and of no use for diagnosis. */
export async function closeFolder(
  { dir, lock, sweeper }: Folder,
  { keepLogs }: { readonly keepLogs: boolean },
): Promise<void> {
  if (lock !== undefined) return lock.release();
  await rm(keepLogs ? join(dir, 'etcd') : dir, { recursive: true, force: true });
  sweeper?.end('closed\n');
}

async function temporaryFolder(): Promise<Folder> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-control-plane-'));
  return { dir, lock: undefined, sweeper: startGuard(SWEEPER, dir) };
}

async function lockFolder(dir: string): Promise<Folder> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = await tryLock(join(dir, 'lock'));
  if (typeof lock === 'number') throw new Error(`${dir} is already in use by a control plane (process ${lock})`);
  return { dir, lock };
}
