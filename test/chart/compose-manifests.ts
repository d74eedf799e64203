// Renders the chart for the compose stack, without the objects for pods, because compose runs the services itself. The
// stack thus uses the chart's rules. `node test/chart/compose-manifests.ts` writes compose/manifests.json.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { CHART, isTestHook, type KubeObject, parseObjects, RELEASE, runHelm } from './helm.ts';

export const MANIFESTS = fileURLToPath(new URL('../../compose/manifests.json', import.meta.url));
const VALUES = new URL('../../compose/values.yaml', import.meta.url);

/** The namespace in the certificates of the stack's containers (compose/certificates.ts). */
const NAMESPACE = 'countersign';

/** Kinds that are useless without pods. */
const POD_KINDS: ReadonlySet<string> = new Set(['Deployment', 'Service', 'PodDisruptionBudget']);

/** The content of the file MANIFESTS. */
export async function renderComposeManifests(): Promise<string> {
  const args = ['template', RELEASE, CHART, '--namespace', NAMESPACE];
  const { code, stdout, stderr } = await runHelm(args, parse(await readFile(VALUES, 'utf8')));
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  const items = parseObjects(stdout).filter(object => !isTestHook(object) && !isForPods(object));
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

function isForPods({ kind }: KubeObject): boolean {
  return POD_KINDS.has(kind);
}

if (import.meta.main) await writeFile(MANIFESTS, await renderComposeManifests());
