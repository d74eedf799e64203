// Writes the files of the base layer to a folder: `node build/root-filesystem.ts FOLDER`. The Dockerfile runs it inside
// the image that provides Node.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeFiles } from './node-files.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('Usage: node build/root-filesystem.ts FOLDER\n');
  process.exit(2);
}

for (const { path, mode, content } of await nodeFiles()) {
  const target = join(folder, path);
  await mkdir(content === undefined ? target : dirname(target), { recursive: true });
  if (content !== undefined) await writeFile(target, content);
  // chmod, because mkdir and writeFile apply the umask to their mode.
  await chmod(target, mode ?? (content === undefined ? 0o755 : 0o644));
}
