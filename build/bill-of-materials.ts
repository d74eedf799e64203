// Asks npm for the CycloneDX bill of materials of one service, and keeps of the locked packages those that its bundle holds.
// It takes out what differs from run to run and from folder to folder, and never looks a package up.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What is used here of CycloneDX 1.5: components, and which of them needs which, by their references. */
interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: { 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** `name@version`, as npm makes a component's reference of it. */
type PackageReference = string;

/** JSON text. `root` is the folder of the lock file, `sources` are paths from there of the files that are in the bundle. */
export async function describeMaterials(root: string, service: string, sources: readonly string[]): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--omit=optional'];
  const { stdout } = await promisify(execFile)('npm', [...args, `--workspace=services/${service}`], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const bom: Bom = JSON.parse(stdout);
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  // npm calls it as its folder is called.
  const product = (await readPackage(root))?.name;
  if (product !== undefined) bom.metadata.component.name = product;
  keepComponents(bom, await packagesOf(root, sources));
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function keepComponents(bom: Bom, packages: ReadonlySet<PackageReference>): void {
  bom.components = bom.components.filter(component => packages.has(component['bom-ref']));
  bom.dependencies = bom.dependencies.flatMap(({ ref, dependsOn }) =>
    packages.has(ref) ? { ref, dependsOn: dependsOn.filter(needed => packages.has(needed)) } : [],
  );
}

/** The packages that the files belong to, and the product itself. */
async function packagesOf(root: string, sources: readonly string[]): Promise<ReadonlySet<PackageReference>> {
  const folders = new Map<string, Promise<PackageReference>>();
  const find = (folder: string): Promise<PackageReference> => {
    const found = folders.get(folder) ?? search(folder);
    folders.set(folder, found);
    return found;
  };
  const search = async (folder: string): Promise<PackageReference> => {
    const described = await readPackage(join(root, folder));
    return described ? `${described.name}@${described.version}` : find(dirname(folder));
  };
  return new Set(await Promise.all(['.', ...sources.map(source => dirname(source))].map(find)));
}

/** Undefined where there is no package.json, or one that only says how the files of its folder are to be read. */
async function readPackage(folder: string): Promise<{ readonly name: string; readonly version: string } | undefined> {
  try {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
