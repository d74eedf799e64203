// An external issuer of our own: two types in the group things.example.com, and a controller that answers
// CertificateRequests as others do. It honours the approval, and leaves `status.ca` empty.

import { setTimeout as sleep } from 'node:timers/promises';
import type { IssuerResource } from '@countersign/common/signer-name.ts';
import type { Cluster, IssuerPlace, KubeObject } from '../cluster.ts';
import { createSigningAuthority, type SigningAuthority, signRequest } from './signing-authority.ts';

const GROUP = 'things.example.com';
export const THING: IssuerResource = {
  group: GROUP,
  plural: 'thingissuers',
  kind: 'ThingIssuer',
  isNamespaced: true,
};
export const CLUSTER_THING: IssuerResource = {
  group: GROUP,
  plural: 'thingclusterissuers',
  kind: 'ThingClusterIssuer',
  isNamespaced: false,
};

/** What its issuers do. */
export interface ThingSpec {
  readonly does: 'issue' | 'refuse' | 'ignore';
}

/** The CustomResourceDefinitions, and how kubectl waits until issuers can be created. */
export const THING_DEFINITIONS = { apiVersion: 'v1', kind: 'List', items: [THING, CLUSTER_THING].map(definitionOf) };
export const AWAIT_THINGS: readonly string[] = [
  'wait',
  '--for=condition=Established',
  '--timeout=60s',
  ...[THING, CLUSTER_THING].map(({ plural, group }) => `crd/${plural}.${group}`),
];

/** Resolves when issuers can be created. */
export async function installThings(cluster: Pick<Cluster, 'kubectl'>): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(THING_DEFINITIONS));
  await cluster.kubectl(AWAIT_THINGS);
}

function definitionOf({ group, plural, kind, isNamespaced }: IssuerResource): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: isNamespaced ? 'Namespaced' : 'Cluster',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

function pathOf({ namespace, name }: IssuerPlace): string {
  const { plural } = namespace === undefined ? CLUSTER_THING : THING;
  const at = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/${GROUP}/v1${at}/${plural}${name === '' ? '' : `/${name}`}`;
}

/** Returns the signer name. */
export async function createThing(cluster: Cluster, place: IssuerPlace, spec: ThingSpec): Promise<string> {
  const { namespace, name } = place;
  const { kind, plural } = namespace === undefined ? CLUSTER_THING : THING;
  await cluster.api.create(pathOf({ ...place, name: '' }), {
    apiVersion: `${GROUP}/v1`,
    kind,
    metadata: { name },
    spec,
  });
  return `${plural}.${GROUP}/${namespace === undefined ? '' : `${namespace}.`}${name}`;
}

interface Request extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string };
  readonly spec: {
    readonly request: string;
    readonly issuerRef: { readonly group?: string; readonly kind?: string; readonly name: string };
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const REQUESTS = '/apis/cert-manager.io/v1';
const LOOK_MS = 200;

type Reach = Pick<Cluster, 'api'>;

export class ThingController {
  readonly #cluster: Reach;
  readonly rootPem: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(cluster: Reach, authority: SigningAuthority) {
    this.#cluster = cluster;
    this.rootPem = `${authority.certificate.toString('pem')}\n`;
    this.#running = this.#run(authority);
    // Thrown by stop.
    this.#running.catch(() => undefined);
  }

  /** The caller must stop it. */
  static async start(cluster: Reach): Promise<ThingController> {
    return new ThingController(cluster, await createSigningAuthority('things'));
  }

  /** Throws what went wrong meanwhile. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(authority: SigningAuthority): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { items } = await this.#cluster.api.get<{ items: Request[] }>(`${REQUESTS}/certificaterequests`);
      for (const request of items.filter(isOpen)) await this.#answer(request, authority);
      await sleep(LOOK_MS);
    }
  }

  async #answer(request: Request, authority: SigningAuthority): Promise<void> {
    const { metadata, spec } = request;
    const isCluster = spec.issuerRef.kind === CLUSTER_THING.kind;
    const place = { name: spec.issuerRef.name, ...(!isCluster && { namespace: metadata.namespace }) };
    const issuer = await this.#cluster.api.call<{ spec?: ThingSpec }>({ path: pathOf(place) });
    const does = issuer.status === 404 ? 'ignore' : issuer.body.spec?.does;
    if (does === 'refuse') await this.#write(request, { ready: 'False', reason: 'Failed', message: 'out of things' });
    if (does !== 'issue') return;
    const chain = await signRequest(authority, Buffer.from(spec.request, 'base64').toString());
    const certificate = Buffer.from(chain).toString('base64');
    await this.#write(request, { ready: 'True', reason: 'Issued', message: 'issued', certificate });
  }

  async #write(
    { metadata, status }: Request,
    answer: { ready: string; reason: string; message: string; certificate?: string },
  ): Promise<void> {
    const { ready, certificate, ...rest } = answer;
    const condition = { type: 'Ready', status: ready, ...rest, lastTransitionTime: new Date().toISOString() };
    const conditions = [...(status?.conditions ?? []).filter(({ type }) => type !== 'Ready'), condition];
    const body = {
      metadata: { resourceVersion: metadata.resourceVersion },
      status: { conditions, ...(certificate && { certificate }) },
    };
    const path = `${REQUESTS}/namespaces/${metadata.namespace}/certificaterequests/${metadata.name}/status`;
    const { status: code } = await this.#cluster.api.call({ method: 'PATCH', path, body });
    // Of a conflict or a deletion, the next look sees what is left to do.
    if (code >= 300 && code !== 409 && code !== 404) throw new Error(`PATCH ${path}: ${code}`);
  }
}

/** Approved, and without an answer. */
function isOpen({ spec, status }: Request): boolean {
  const has = (type: string) => status?.conditions?.some(each => each.type === type && each.status !== 'Unknown');
  return spec.issuerRef.group === GROUP && has('Approved') === true && has('Ready') !== true;
}
