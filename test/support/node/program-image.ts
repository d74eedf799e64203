// An image for the pods of a node: one static program and nothing else.

import { readFile } from 'node:fs/promises';
import type { Image } from '../../../build/docker-archive.ts';

export async function programImage(name: string, programPath: string): Promise<Image> {
  const entries = [{ path: 'program', mode: 0o755, content: await readFile(programPath) }];
  return {
    name,
    config: { Entrypoint: ['/program'], Env: [], User: '65532:65532', WorkingDir: '/', Labels: {} },
    layers: [{ entries, createdBy: name }],
  };
}
