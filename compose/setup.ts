// Waits for the stack's API server and applies the objects of the chart (manifests.json) and of the demo
// (demo.ts). Idempotent.

import { readFile } from 'node:fs/promises';
import { Api, eventually } from './api.ts';
import { demoObjects } from './demo.ts';
import { runInStack } from './in-stack.ts';
import manifests from './manifests.json' with { type: 'json' };

interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const READY_MS = 60_000;
/** An Issuer can be created a moment after its CRD. */
const APPLY_MS = 20_000;

async function main(): Promise<void> {
  const api = await Api.open('/keys/admin.kubeconfig');
  await eventually('the API server is ready', READY_MS, () => isReady(api));
  const certPem = await readFile('/setup/demo-ca.crt', 'utf8');
  const keyPem = await readFile('/setup/demo-ca.key', 'utf8');
  const demo = demoObjects({ certPem, keyPem });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'countersign' } };
  const objects: KubeObject[] = [...demo, namespace, ...manifests.items];
  // Namespaces and CRDs first, because other objects need them.
  for (const object of objects.toSorted((a, b) => rank(a) - rank(b))) {
    await eventually(describe(object), APPLY_MS, () => apply(api, object));
  }
  process.stdout.write(`applied ${objects.length} objects\n`);
}

/** Errors mean that it is still starting. */
function isReady(api: Api): Promise<true | undefined> {
  return api.get('/readyz').then(
    ({ status }) => (status === 200 ? true : undefined),
    () => undefined,
  );
}

function rank({ kind }: KubeObject): number {
  const order = ['Namespace', 'CustomResourceDefinition'].indexOf(kind);
  return order === -1 ? 2 : order;
}

/** Returns undefined while the kind is not served yet. */
async function apply(api: Api, object: KubeObject): Promise<true | undefined> {
  const path = await pathOf(api, object);
  if (path === undefined) return undefined;
  const { status, body } = await api.apply(path, object);
  if (status < 300) return true;
  throw new Error(`${describe(object)}: ${status} ${body.message}`);
}

async function pathOf(api: Api, { apiVersion, kind, metadata }: KubeObject): Promise<string | undefined> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { status, body } = await api.get<{ resources: { kind: string; name: string }[] }>(base);
  if (status !== 200) return undefined;
  const resource = body.resources.find(found => found.kind === kind && !found.name.includes('/'));
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return resource && `${base}${place}/${resource.name}/${metadata.name}`;
}

function describe({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

await runInStack(main);
