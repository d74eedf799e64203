// Writes the files of the lowest layer of an image to a folder: `node root-filesystem.ts FOLDER`, inside the image that Node is
// taken from. For the Dockerfile; without Docker the same files go into an archive at once.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeFiles } from './node-files.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('the folder is missing');

for (const { path, mode, content } of await nodeFiles()) {
  const target = join(folder, path);
  await mkdir(content === undefined ? target : dirname(target), { recursive: true });
  if (content !== undefined) await writeFile(target, content);
  // Not as an argument of mkdir and writeFile: those take the umask off.
  await chmod(target, mode ?? (content === undefined ? 0o755 : 0o644));
}
