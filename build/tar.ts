// Packs files into a tar archive whose bytes depend only on names, modes and contents: owner root, mtime 1970. Never
// reads or follows links.

import { pack } from 'tar-stream';

/** Folders end with a slash and have no content. */
export interface TarEntry {
  readonly path: string;
  /** Permission bits. Defaults to 0755 for folders and 0644 for files. */
  readonly mode?: number;
  readonly content?: Buffer;
}

const MTIME = new Date(0);

/** Yields the archive in chunks without copying contents. */
export function packTar(entries: readonly TarEntry[]): AsyncIterable<Buffer> {
  const archive = pack();
  for (const { path, mode, content } of withFolders(entries)) {
    const type = path.endsWith('/') ? 'directory' : 'file';
    const header = { name: path, type, mode: mode ?? (type === 'directory' ? 0o755 : 0o644), mtime: MTIME } as const;
    if (type === 'directory') archive.entry(header);
    else archive.entry(header, content ?? Buffer.alloc(0));
  }
  archive.finalize();
  return archive as AsyncIterable<Buffer>; // The package's own type does not include the chunk type.
}

/** Sorts the entries so that folders precede their contents, and adds missing parent folders. */
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
