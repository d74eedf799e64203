// Asks npm for the CycloneDX bill of materials of one service, and keeps of the locked packages those that its bundle holds.
// It takes out what differs from run to run and from folder to folder, and never looks a package up.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  const product = await readPackage(root);
  // npm calls it as its folder is called.
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

/** The folders of the packages that the files belong to, workspaces included. */
function packageFolders(sources: readonly string[]): readonly string[] {
  const inPackage = /^(?:.*node_modules\/(?:@[^/]+\/)?|services\/)[^/]+/;
  return [...new Set(sources.flatMap(source => inPackage.exec(source)?.[0] ?? []))];
}

async function readPackage(folder: string): Promise<{ readonly name: string; readonly version: string }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
