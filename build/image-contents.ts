// Defines the contents of the service images: Node and its shared libraries, then the bundle. Both ways to build images
// (build/images.ts) use the same files.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bundleFolder, ROOT, SERVICES, type Service } from './bundle.ts';
import { compile, compiledFolder, NODE_FLAGS, serviceVariables } from './compile.ts';
import type { Image, Layer } from './docker-archive.ts';
import { NONROOT, nodeFiles } from './node-files.ts';

/** Where the images are written if there is no Docker engine. */
export const ARCHIVE = join(ROOT, 'dist', 'images.tar');

/** The cache of the most recently compiled programs. */
const COMPILED = join(ROOT, 'dist', 'compiled');

/** Keep in sync with the Dockerfile. */
const DESCRIPTIONS: Readonly<Record<Service, string>> = {
  webhook: 'Rejects CertificateSigningRequests from requesters who may not use the issuer',
  signer: "Signs CertificateSigningRequests with cert-manager's Issuers",
  approver: 'Approves CertificateSigningRequests by policy',
};

/** Keep in sync with the Dockerfile. */
export const ENVIRONMENT = { PATH: '/usr/local/bin', NODE_ENV: 'production', ...serviceVariables('/app') };

export function imageName(service: Service, version: string): string {
  return `countersign/${service}:${version}`;
}

/** Keep in sync with the Dockerfile. */
export function entrypoint(service: Service): readonly string[] {
  return ['/usr/local/bin/node', ...NODE_FLAGS, `/app/${service}.mjs`];
}

/** The image tag; the chart installs images of this version. */
export async function readVersion(): Promise<string> {
  return JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version;
}

/** Assembles the image from the bundle in dist and compiles it there. */
export async function makeImages(version: string): Promise<Image[]> {
  const base = { entries: await nodeFiles(), createdBy: `Node ${process.version} and its shared libraries` };
  return Promise.all(SERVICES.map(service => makeImage(service, version, base)));
}

/**
 * V8 seeds its hashes randomly, so each compilation of a program gives different bytes. The result is cached to give
 * equal layers for equal sources. (With Docker, the build cache does this.)
 */
async function compileOnce(service: Service, program: string): Promise<void> {
  const hash = createHash('sha256').update(await readFile(program));
  const key = hash.update([process.version, process.arch, ...NODE_FLAGS].join(' ')).digest('hex');
  const [made, kept] = [compiledFolder(dirname(program)), join(COMPILED, service, key)];
  if (existsSync(kept)) return cp(kept, made, { recursive: true });
  await compile(program);
  await rm(join(COMPILED, service), { recursive: true, force: true });
  await cp(made, `${kept}.partial`, { recursive: true });
  await rename(`${kept}.partial`, kept);
}

async function makeImage(service: Service, version: string, base: Layer): Promise<Image> {
  const folder = bundleFolder(service);
  await compileOnce(service, join(folder, `${service}.mjs`));
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(file => file.isFile());
  const entries = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return { path: join('app', relative(folder, path)), content: await readFile(path) };
  });
  return {
    name: imageName(service, version),
    config: {
      Entrypoint: entrypoint(service),
      Env: Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
      User: `${NONROOT}:${NONROOT}`,
      WorkingDir: '/',
      Labels: {
        'org.opencontainers.image.title': `countersign-${service}`,
        'org.opencontainers.image.description': DESCRIPTIONS[service],
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    },
    layers: [base, { entries: await Promise.all(entries), createdBy: `Countersign ${service}` }],
  };
}
