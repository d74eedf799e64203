// The image of the container that holds a pod's namespaces, with a single static program.

import { readFile } from 'node:fs/promises';
import type { Image } from '../../../build/docker-archive.ts';
import { PAUSE_IMAGE } from './configuration.ts';

export async function pauseImage(programPath: string): Promise<Image> {
  const entries = [{ path: 'pause', mode: 0o755, content: await readFile(programPath) }];
  return {
    name: PAUSE_IMAGE,
    config: { Entrypoint: ['/pause'], Env: [], User: '65532:65532', WorkingDir: '/', Labels: {} },
    layers: [{ entries, createdBy: 'pause' }],
  };
}
