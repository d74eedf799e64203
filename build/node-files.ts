// Returns the files of the base layer: this Node binary, its shared libraries, and /etc/passwd with root and nonroot.
// No shell, no package manager. Takes the libraries from the machine it runs on.

import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { TarEntry } from './tar.ts';

/** The user that the services run as. Distroless images also call it `nonroot`. */
export const NONROOT = 65_532;

const PASSWD = `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/:/sbin/nologin\n`;
const GROUP = `root:x:0:\nnonroot:x:${NONROOT}:\n`;

/** Loaded with dlopen to resolve host names, so ldd does not list them. */
const RESOLVER = 'libresolv.so.2';

/** Returns archive entries for the Node at `execPath`. */
export async function nodeFiles(execPath = process.execPath): Promise<TarEntry[]> {
  const libraries = await neededLibraries(execPath);
  return [
    { path: 'usr/local/bin/node', mode: 0o755, content: await readFile(await realpath(execPath)) },
    ...(await Promise.all(libraries.map(libraryEntry))),
    { path: 'etc/passwd', content: Buffer.from(PASSWD) },
    { path: 'etc/group', content: Buffer.from(GROUP) },
    { path: 'etc/nsswitch.conf', content: Buffer.from('hosts: files dns\n') },
    // Mount points and the temporary folder.
    ...['proc/', 'sys/', 'dev/'].map(path => ({ path })),
    { path: 'tmp/', mode: 0o1777 },
  ];
}

async function libraryEntry(path: string): Promise<TarEntry> {
  return { path: path.slice(1), mode: 0o755, content: await readFile(path) };
}

/** Absolute paths, as printed by the dynamic loader in list mode (ld.so(8), ldd). */
async function neededLibraries(execPath: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(execPath, [], { env: { LD_TRACE_LOADED_OBJECTS: '1' } });
  const found = [...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map(([, path = '']) => path);
  const libc = found.find(path => path.endsWith('/libc.so.6'));
  if (libc === undefined)
    throw new Error(`${execPath} is not linked against glibc; images can only be built from a Node that is`);
  return [...found, libc.replace(/[^/]+$/, RESOLVER)];
}
