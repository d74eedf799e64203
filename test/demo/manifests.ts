// Writes the manifests of the demo to its directory, prints them, and applies them.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Narrator } from './narrator.ts';

export interface ManifestDeps {
  readonly narrator: Pick<Narrator, 'run' | 'show'>;
  readonly dir: string;
}

export async function applyManifest(deps: ManifestDeps, name: string, manifest: object): Promise<void> {
  await writeManifest(deps, name, manifest, manifest);
  await deps.narrator.run(['kubectl', 'apply', '-f', name]);
}

export async function writeManifest(
  { narrator, dir }: ManifestDeps,
  name: string,
  manifest: object,
  shown: object,
): Promise<void> {
  await writeFile(join(dir, name), stringify(manifest));
  narrator.show(name, stringify(shown));
}
