// The files of the lowest layer of an image: this Node, the shared libraries that it needs, and the names of the users root
// and nonroot. There is no shell in it and no package manager. It reads the libraries of the machine that it runs on.

import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { TarEntry } from './tar.ts';

/** The user that the services run as: `nonroot` in distroless images, too. */
export const NONROOT = 65_532;

const PASSWD = `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/:/sbin/nologin\n`;
const GROUP = `root:x:0:\nnonroot:x:${NONROOT}:\n`;

/** Loaded by name when a host name is looked up, so that no list of needed libraries has it. */
const RESOLVER = 'libresolv.so.2';

/** Of the Node at `execPath`, as entries of an archive. */
export async function nodeFiles(execPath = process.execPath): Promise<TarEntry[]> {
  const libraries = await neededLibraries(execPath);
  return [
    { path: 'usr/local/bin/node', mode: 0o755, content: await readFile(await realpath(execPath)) },
    ...(await Promise.all(libraries.map(libraryEntry))),
    { path: 'etc/passwd', content: Buffer.from(PASSWD) },
    { path: 'etc/group', content: Buffer.from(GROUP) },
    { path: 'etc/nsswitch.conf', content: Buffer.from('hosts: files dns\n') },
    // Mount points and the folder that a program may count on.
    ...['proc/', 'sys/', 'dev/'].map(path => ({ path })),
    { path: 'tmp/', mode: 0o1777 },
  ];
}

async function libraryEntry(path: string): Promise<TarEntry> {
  return { path: path.slice(1), mode: 0o755, content: await readFile(path) };
}

/** Absolute paths, as the loader names them when it is asked to list instead of run (ld.so(8); what ldd does). */
async function neededLibraries(execPath: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(execPath, [], { env: { LD_TRACE_LOADED_OBJECTS: '1' } });
  const found = [...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map(([, path = '']) => path);
  const libc = found.find(path => path.endsWith('/libc.so.6'));
  if (libc === undefined)
    throw new Error(`${execPath} is not linked to the GNU C library: its image cannot be made here`);
  return [...found, libc.replace(/[^/]+$/, RESOLVER)];
}
