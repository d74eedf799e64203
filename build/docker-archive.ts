// Writes images as one docker-archive, the format of `docker save` that `docker load` and `ctr images import` read.
// Images share the bytes of shared layers. No compression, no signatures.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { packTar, type TarEntry } from './tar.ts';

export interface Layer {
  readonly entries: readonly TarEntry[];
  /** Creator, as shown by `docker history`. */
  readonly createdBy: string;
}

/** The parts of the OCI image configuration used here. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Image {
  /** Including the tag: `countersign/webhook:1.0.0`. */
  readonly name: string;
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

/** The platform of this machine, translated from Node's names to Go's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** A fixed creation time, so that equal contents have equal digests. */
const CREATED = '1970-01-01T00:00:00Z';

/** Writes to a temporary file first, so that `path` is never incomplete. */
export async function writeDockerArchive(path: string, images: readonly Image[]): Promise<void> {
  const draft = `${path}.${process.pid}.partial`;
  await pipeline(packTar(await archiveEntries(images)), createWriteStream(draft));
  await rename(draft, path);
}

async function archiveEntries(images: readonly Image[]): Promise<TarEntry[]> {
  const layers = new Map<Layer, TarEntry>();
  for (const layer of new Set(images.flatMap(image => image.layers))) layers.set(layer, await packLayer(layer));
  const configs = images.map(image => ({ image, entry: configEntry(image, layers) }));
  const manifest = configs.map(({ image, entry }) => ({
    Config: entry.path,
    RepoTags: [image.name],
    Layers: image.layers.map(layer => layers.get(layer)?.path),
  }));
  return [
    ...configs.map(({ entry }) => entry),
    ...new Map([...layers.values()].map(entry => [entry.path, entry])).values(),
    { path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
  ];
}

async function packLayer({ entries }: Layer): Promise<TarEntry> {
  const content = await buffer(packTar(entries));
  return { path: `${digest(content)}.tar`, content };
}

function configEntry({ config, layers }: Image, packed: ReadonlyMap<Layer, TarEntry>): TarEntry {
  const content = Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: 'linux',
      created: CREATED,
      config,
      rootfs: {
        type: 'layers',
        diff_ids: layers.map(layer => `sha256:${packed.get(layer)?.path.replace('.tar', '')}`),
      },
      history: layers.map(({ createdBy }) => ({ created: CREATED, created_by: createdBy })),
    }),
  );
  return { path: `${digest(content)}.json`, content };
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
