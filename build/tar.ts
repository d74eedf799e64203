// Packs files as a tar archive whose bytes depend on nothing but names, modes and contents: everything belongs to root and is
// from 1970. It never reads or follows a link.

import { pack } from 'tar-stream';

/** Folders end with a slash and have no content. */
export interface TarEntry {
  readonly path: string;
  /** Permission bits. 0755 for a folder and 0644 for a file if not given. */
  readonly mode?: number;
  readonly content?: Buffer;
}

const MTIME = new Date(0);

/** The archive piece by piece; contents are not copied. */
export function packTar(entries: readonly TarEntry[]): AsyncIterable<Buffer> {
  const archive = pack();
  for (const { path, mode, content } of withFolders(entries)) {
    const type = path.endsWith('/') ? 'directory' : 'file';
    const header = { name: path, type, mode: mode ?? (type === 'directory' ? 0o755 : 0o644), mtime: MTIME } as const;
    if (type === 'directory') archive.entry(header);
    else archive.entry(header, content ?? Buffer.alloc(0));
  }
  archive.finalize();
  return archive as AsyncIterable<Buffer>; // Its own type says nothing of its pieces.
}

/** Sorted, so that each folder comes before its contents, and with the folders that no entry names. */
function withFolders(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    for (const path of foldersAbove(entry.path)) if (!byPath.has(path)) byPath.set(path, { path });
    byPath.set(entry.path, entry);
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '');
  return parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
}
