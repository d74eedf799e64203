// Creates the CycloneDX bill of materials of one service with npm and reduces it to the packages in the service's
// bundle. Removes values that differ between runs and folders; never contacts a registry.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The parts of CycloneDX 1.5 used here: components and the dependencies between them, by reference. */
interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: { 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** `name@version`, npm's format for a component reference. */
type PackageReference = string;

/** Returns JSON. `root` is the folder of the lock file; `sources` are the bundled files, relative to it. */
export async function describeMaterials(root: string, service: string, sources: readonly string[]): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--omit=optional'];
  const { stdout } = await promisify(execFile)('npm', [...args, `--workspace=services/${service}`], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const bom: Bom = JSON.parse(stdout);
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  const product = await readPackage(root);
  // npm names the component after its folder.
  bom.metadata.component.name = product.name;
  const packages = await Promise.all(packageFolders(sources).map(folder => readPackage(join(root, folder))));
  keepComponents(bom, new Set([product, ...packages].map(({ name, version }) => `${name}@${version}`)));
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function keepComponents(bom: Bom, packages: ReadonlySet<PackageReference>): void {
  bom.components = bom.components.filter(component => packages.has(component['bom-ref']));
  bom.dependencies = bom.dependencies.flatMap(({ ref, dependsOn }) =>
    packages.has(ref) ? { ref, dependsOn: dependsOn.filter(needed => packages.has(needed)) } : [],
  );
}

/** Returns the folders of the packages that the files belong to, including workspaces. */
function packageFolders(sources: readonly string[]): readonly string[] {
  const inPackage = /^(?:.*node_modules\/(?:@[^/]+\/)?|services\/)[^/]+/;
  return [...new Set(sources.flatMap(source => inPackage.exec(source)?.[0] ?? []))];
}

async function readPackage(folder: string): Promise<{ readonly name: string; readonly version: string }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
