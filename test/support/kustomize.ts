// Runs kubectl's kustomize on the output of `helm template`, as users do. Needs no cluster.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findTools } from './control-plane/find-tools.ts';
import type { CommandResult } from './control-plane/run-command.ts';
import { runCommand } from './control-plane/run-command.ts';

/**
 * Applies the fields of a kustomization, such as `{namespace: moved}`, to the manifests. A non-zero exit code is not
 * an exception.
 */
export async function kustomize(manifests: string, fields: Readonly<Record<string, unknown>>): Promise<CommandResult> {
  const { kubectl } = await findTools(['kubectl']);
  const dir = await mkdtemp(join(tmpdir(), 'kustomize-'));
  try {
    await writeFile(join(dir, 'all.yaml'), manifests);
    await writeFile(join(dir, 'kustomization.yaml'), stringify({ ...fields, resources: ['all.yaml'] }));
    return await runCommand(kubectl, ['kustomize', dir], { env: process.env });
  } finally {
    await rm(dir, { recursive: true });
  }
}
