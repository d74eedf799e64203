// `make images`: bundles the services and builds their images with a Docker engine; without one, writes the same images
// to dist/images.tar. Also bundles the programs that the compose stack mounts. Never pushes.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { bundleComposePrograms, bundleService, ROOT, SERVICES } from './bundle.ts';
import { HELP_OPTION, readCommandLine } from './command-line.ts';
import { writeDockerArchive } from './docker-archive.ts';
import { ARCHIVE, imageName, makeImages, readVersion } from './image-contents.ts';

const HELP = `Usage: node build/images.ts [--archive] [--base IMAGE]

Builds the images countersign/webhook, countersign/signer and countersign/approver.
  --archive       Write dist/images.tar even if a Docker engine is available.
  --base IMAGE    With Docker: the image to take Node and its libraries from (see the Dockerfile).
`;

async function main(): Promise<void> {
  const options = { archive: { type: 'boolean' }, base: { type: 'string' }, help: HELP_OPTION } as const;
  const { values } = readCommandLine('node build/images.ts --help', { options });
  if (values.help) return print(HELP);
  const version = await readVersion();
  for (const service of SERVICES) await bundleService(service);
  await bundleComposePrograms();
  if (!values.archive && (await hasDocker())) return buildWithDocker(version, values.base);
  await writeDockerArchive(ARCHIVE, await makeImages(version));
  print(`${SERVICES.map(service => imageName(service, version)).join(', ')} were written to ${ARCHIVE}. To load them, run one of:
  docker load -i ${ARCHIVE}
  ctr -n k8s.io images import ${ARCHIVE}\n`);
}

/** Checks that an engine responds, not only that the client is installed. */
async function hasDocker(): Promise<boolean> {
  return promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

async function buildWithDocker(version: string, base: string | undefined): Promise<void> {
  for (const service of SERVICES) {
    const args = ['--target', service, '--tag', imageName(service, version), '--build-arg', `VERSION=${version}`];
    const from = base === undefined ? [] : ['--build-arg', `BASE=${base}`];
    const child = spawn('docker', ['build', ...args, ...from, ROOT], { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`docker build of the ${service} failed (exit code ${code})`);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

await main();
