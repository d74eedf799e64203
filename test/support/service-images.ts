// Builds the images of both services, as `make images` does without a Docker engine. Concurrent test files wait for
// each other, because all write to dist.

import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../build/bundle.ts';
import { ARCHIVE } from '../../build/image-contents.ts';
import { acquireLock } from './control-plane/lock-file.ts';
import { runCommand } from './control-plane/run-command.ts';

/** Returns the path of the docker-archive. */
export async function makeServiceImages(): Promise<string> {
  const asked = Date.now();
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  const lock = await acquireLock(join(ROOT, 'dist', 'lock'), () => {});
  try {
    if (await wasMadeSince(asked)) return ARCHIVE;
    const args = [join(ROOT, 'build', 'images.ts'), '--archive'];
    const { code, stderr } = await runCommand(process.execPath, args, { env: process.env });
    assert.equal(code, 0, stderr);
    return ARCHIVE;
  } finally {
    await lock.release();
  }
}

/** Another test file has built them in the meantime. */
function wasMadeSince(time: number): Promise<boolean> {
  return stat(ARCHIVE).then(
    ({ mtimeMs }) => mtimeMs >= time,
    () => false,
  );
}
