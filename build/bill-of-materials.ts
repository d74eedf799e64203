// Asks npm for the CycloneDX bill of materials of one service: the locked packages that it is bundled from. It takes out
// what differs from run to run, and never looks a package up.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Bom {
  serialNumber?: string;
  metadata?: { timestamp?: string };
}

/** JSON text. `root` is the folder of the lock file. */
export async function describeMaterials(root: string, service: string): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--omit=optional'];
  const { stdout } = await promisify(execFile)('npm', [...args, `--workspace=services/${service}`], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const bom: Bom = JSON.parse(stdout);
  delete bom.serialNumber;
  delete bom.metadata?.timestamp;
  return `${JSON.stringify(bom, null, 2)}\n`;
}
