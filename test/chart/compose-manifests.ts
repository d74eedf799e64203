// Renders the chart for the compose stack: everything but what runs in pods, which compose runs itself. So the stack has the
// chart's rules, and none of its own. `node test/chart/compose-manifests.ts` writes compose/manifests.json.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { CHART, isTestHook, type KubeObject, parseObjects, RELEASE, runHelm } from './helm.ts';

export const MANIFESTS = fileURLToPath(new URL('../../compose/manifests.json', import.meta.url));
const VALUES = new URL('../../compose/values.yaml', import.meta.url);

/** As the stack's containers are named in their certificates (compose/certificates.ts). */
const NAMESPACE = 'countersign';

/** Without the pods these would be there for nothing. */
const OF_PODS: ReadonlySet<string> = new Set(['Deployment', 'Service', 'PodDisruptionBudget']);

/** The text of the file MANIFESTS. */
export async function renderComposeManifests(): Promise<string> {
  const args = ['template', RELEASE, CHART, '--namespace', NAMESPACE];
  const { code, stdout, stderr } = await runHelm(args, parse(await readFile(VALUES, 'utf8')));
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  const items = parseObjects(stdout).filter(object => !isTestHook(object) && !isOfPods(object));
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

function isOfPods({ kind }: KubeObject): boolean {
  return OF_PODS.has(kind);
}

if (import.meta.main) await writeFile(MANIFESTS, await renderComposeManifests());
