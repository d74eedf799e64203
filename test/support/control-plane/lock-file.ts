// A lock file with the holder's process id, for work that only one of several processes should do. The lock of a dead
// or inactive holder is replaced. Replacing is not atomic, so the protected work must tolerate two holders.

import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockFile {
  release(): Promise<void>;
}

const HEARTBEAT_MS = 5_000;
const SILENT_MS = 60_000;

/** Waits for the lock. Calls `onWait` with the holder's process id each time the lock is taken. */
export async function acquireLock(path: string, onWait: (pid: number) => void): Promise<LockFile> {
  for (;;) {
    const lock = await tryLock(path);
    if (typeof lock !== 'number') return lock;
    onWait(lock);
    await sleep(250);
  }
}

/** Returns the lock, or the process id of its holder. */
export async function tryLock(path: string): Promise<LockFile | number> {
  const mine = `${process.pid} ${randomUUID()}\n`;
  if (await create(path, mine)) return held(path, mine);
  const theirs = await readFile(path, 'utf8').catch(whenMissing(''));
  if (theirs !== '' && !(await isStale(path, theirs))) return holderOf(theirs);
  if (theirs !== '') await putAside(path, theirs);
  return (await create(path, mine)) ? held(path, mine) : holderOf(await readFile(path, 'utf8').catch(whenMissing('0')));
}

/** A hard link appears together with its content, so no process can read a lock without a holder. */
async function create(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function held(path: string, content: string): LockFile {
  const beat = () => void utimes(path, new Date(), new Date()).catch(() => {});
  const timer = setInterval(beat, HEARTBEAT_MS).unref();
  return {
    async release() {
      clearInterval(timer);
      if ((await readFile(path, 'utf8').catch(whenMissing(''))) === content) await rm(path, { force: true });
    },
  };
}

async function isStale(path: string, content: string): Promise<boolean> {
  if (!isAlive(holderOf(content))) return true;
  // The process id may have been reused, so a live holder touches its lock.
  const touched = await stat(path).then(found => found.mtimeMs, whenMissing(Date.now()));
  return Date.now() - touched > SILENT_MS;
}

/** Restores the lock if another process has replaced the stale lock in the meantime. */
async function putAside(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(whenMissing(undefined));
  const moved = await readFile(aside, 'utf8').catch(whenMissing(stale));
  if (moved !== stale) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function holderOf(content: string): number {
  return Number.parseInt(content, 10) || 0;
}

/** Whether a process with this id exists, no matter which user owns it. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function whenMissing<T>(value: T): (error: unknown) => T {
  return error => {
    if (codeOf(error) === 'ENOENT') return value;
    throw error;
  };
}
