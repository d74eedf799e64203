// Writes a tar archive (POSIX.1-1988 ustar) whose bytes depend on nothing but names, modes and contents: everything belongs
// to root and is from 1970. It never reads or follows a link.

/** Folders end with a slash and have no content. */
export interface TarEntry {
  readonly path: string;
  /** Permission bits. 0755 for a folder and 0644 for a file if not given. */
  readonly mode?: number;
  readonly content?: Buffer;
}

const BLOCK = 512;
const MAX_NAME = 100;

/** The archive as pieces to be written one after the other: contents are not copied. */
export function* tarPieces(entries: readonly TarEntry[]): Generator<Buffer> {
  for (const entry of withFolders(entries)) {
    const { content = Buffer.alloc(0) } = entry;
    yield header(entry, content.length);
    yield content;
    yield Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK); // The end of the archive.
}

/** Sorted, so that each folder comes before what is in it, and with the folders that nobody named. */
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

function header({ path, mode }: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(path) > MAX_NAME) throw new RangeError(`${path} is too long for a tar header`);
  const isFolder = path.endsWith('/');
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0);
  block.write(octal(mode ?? (isFolder ? 0o755 : 0o644), 7), 100);
  block.write(octal(0, 7), 108); // user
  block.write(octal(0, 7), 116); // group
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136); // modification time
  block.write(' '.repeat(8), 148); // the checksum counts as spaces in itself
  block.write(isFolder ? '5' : '0', 156);
  block.write('ustar\u{0}00', 257, 'latin1');
  block.write(`${octal(checksum(block), 6)} `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

function checksum(block: Buffer): number {
  return block.reduce((sum, byte) => sum + byte, 0);
}
