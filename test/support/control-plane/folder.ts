// The folder of one control plane: a temporary one that goes in the end, however this process ends, or a given one that is
// kept and that one control plane at a time may use. It never removes anything from a given folder.

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
  /** Of a temporary folder. */
  readonly sweeper?: Writable;
}

// Reads a line when the folder is closed, or end-of-file when this process is gone first; then it removes the folder, and for
// some seconds more what a server writes that is being ended meanwhile (child.ts).
const SWEEPER = `read -r closed && exit 0
i=0
while [ $i -lt 30 ]; do i=$((i + 1)); rm -rf "$1"; sleep 0.2; done`;

export async function openFolder(dir: string | undefined): Promise<Folder> {
  const folder = dir === undefined ? await temporaryFolder() : await lockFolder(dir);
  for (const name of ['logs', 'users']) await mkdir(join(folder.dir, name), { recursive: true, mode: 0o700 });
  return folder;
}

/** etcd's data goes from a temporary folder even if the logs stay: it takes much room and tells nothing. */
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
  if (typeof lock === 'number') throw new Error(`${dir} is in use by the control plane of process ${lock}`);
  return { dir, lock };
}
