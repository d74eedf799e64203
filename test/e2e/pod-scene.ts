// The scene of end-to-end tests, with a namespace whose pods get certificates, and what the tests see of those pods.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTools } from '../support/control-plane/find-tools.ts';
import { programImage } from '../support/node/program-image.ts';
import type { Programs } from '../support/node/programs.ts';
import { leafOf, type PodRequestObject, podRequestsPath } from '../support/pods.ts';
import {
  ANCHORS,
  CREDENTIALS,
  deployment,
  grant,
  PEER_IMAGE,
  PORT,
  STATUS_PORT,
  service,
  serviceAccount,
  serviceHost,
  spiffeId,
  TEAM,
  type Workload,
} from './pod-workloads.ts';
import { CHART, NAMESPACE, openTestCluster, type Scene, SIGNER_NAME } from './test-cluster.ts';

/** How the pods of the workload mesh fare, as the program podpeer counts. Serials are those of certificates. */
export interface Tally {
  readonly handshakes: Readonly<Record<string, number>>;
  readonly clients: Readonly<Record<string, number>>;
  readonly anchors: number;
  readonly failed: number;
  readonly errors: readonly string[];
}

export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string } };
    }[];
  };
}

export interface PodRequest extends PodRequestObject {
  readonly metadata: PodRequestObject['metadata'] & { readonly creationTimestamp: string };
  readonly spec: PodRequestObject['spec'] & { readonly podName: string };
}

export interface EventObject {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly uid: string };
}

const MESH_ADDRESS = '10.96.0.61';

export async function openPodScene(programs: Programs): Promise<PodScene> {
  const { podpeer } = await findTools(['podpeer']);
  return new PodScene(await openTestCluster(programs, [await programImage(PEER_IMAGE, podpeer)]));
}

export class PodScene {
  readonly scene: Scene;
  #values = '';

  constructor(scene: Scene) {
    this.scene = scene;
  }

  close(): Promise<void> {
    return this.scene.close();
  }

  /** The chart, an issuer, and a namespace whose Pod Security is restricted. */
  async install(podCertificates: object = {}): Promise<void> {
    for (const name of ['sandbox', NAMESPACE, TEAM]) await this.scene.kubectl(['create', 'namespace', name]);
    for (const name of [NAMESPACE, TEAM])
      await this.scene.kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted']);
    const image = { image: { pullPolicy: 'Never' } };
    this.#values = await this.scene.writeValues('pods.yaml', { webhook: image, signer: image, podCertificates });
    await this.#helm('install');
    await this.scene.furnish();
  }

  /** Changes values of the release. */
  async upgrade(...settings: string[]): Promise<void> {
    await this.#helm('upgrade', ...settings.flatMap(setting => ['--set', setting]));
  }

  async #helm(command: 'install' | 'upgrade', ...flags: string[]): Promise<void> {
    const wait = ['--wait', '--timeout', '90s'];
    await this.scene.helm(command, 'countersign', CHART, '--values', this.#values, ...flags, ...wait);
  }

  async apply(...objects: object[]): Promise<void> {
    for (const object of objects) await this.scene.kubectl(['apply', '-f', '-'], object);
  }

  /** Resolves when the pods of the workload are ready. */
  async run(workload: Workload, seconds = 60): Promise<void> {
    await this.apply(serviceAccount(workload.name), ...grant(workload.name), deployment(workload));
    await this.rolledOut(workload.name, seconds);
  }

  async rolledOut(name: string, seconds = 60): Promise<void> {
    const command = ['rollout', 'status', `deployment/${name}`, '-n', TEAM, `--timeout=${seconds}s`];
    const { code, stderr } = await this.scene.tryKubectl('admin', command);
    if (code === 0) return;
    const events = await this.scene.kubectl(['get', 'events', '-n', TEAM]);
    assert.fail(`${stderr}${events}\n${await this.scene.describePods()}`);
  }

  /** Two pods that connect to each other ten times a second, each time with the certificates that their files have. */
  async runMesh(): Promise<void> {
    const name = 'mesh';
    const ids = [`--client-id=${spiffeId(name)}`, `--server-name=${serviceHost(name)}`];
    const files = [`--credentials=${CREDENTIALS}`, `--anchors=${ANCHORS}`];
    const addresses = [`--listen=:${PORT}`, `--status=:${STATUS_PORT}`, `--peer=${MESH_ADDRESS}:${PORT}`];
    await this.apply(service(name, MESH_ADDRESS));
    const args = ['exchange', ...files, ...addresses, ...ids];
    await this.run({ name, signerName: SIGNER_NAME, args, replicas: 2, readyPort: STATUS_PORT });
  }

  /** Of each pod. */
  async tallies(): Promise<Tally[]> {
    const names = (await this.pods('mesh')).map(({ metadata }) => metadata.name);
    const path = (name: string) => `/api/v1/namespaces/${TEAM}/pods/${name}:${STATUS_PORT}/proxy/`;
    return Promise.all(names.map(name => this.scene.api.get<Tally>(path(name))));
  }

  async pods(app: string): Promise<PodObject[]> {
    const path = `/api/v1/namespaces/${TEAM}/pods?labelSelector=app%3D${app}`;
    const { items } = await this.scene.api.get<{ items: PodObject[] }>(path);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** The requests of the pods of a workload, oldest first. */
  async requests(app: string): Promise<PodRequest[]> {
    const names = new Set((await this.pods(app)).map(({ metadata }) => metadata.name));
    const { items } = await this.scene.api.get<{ items: PodRequest[] }>(podRequestsPath(TEAM));
    const time = ({ metadata }: PodRequest) => metadata.creationTimestamp;
    return items.filter(({ spec }) => names.has(spec.podName)).toSorted((a, b) => time(a).localeCompare(time(b)));
  }

  async eventsOf({ metadata }: PodObject): Promise<EventObject[]> {
    const path = `/api/v1/namespaces/${TEAM}/events?fieldSelector=involvedObject.uid%3D${metadata.uid}`;
    return (await this.scene.api.get<{ items: EventObject[] }>(path)).items;
  }

  /** Two pods connect to each other without a failure for two seconds. */
  async settled(): Promise<void> {
    let last: readonly Tally[] = [];
    await this.scene.node.eventually(
      'the pods of the mesh connect',
      async () => {
        const now = await this.tallies();
        const isFine = now.length === 2 && now.every(({ failed }, i) => failed === last[i]?.failed);
        const advances = now.every((tally, i) => handshakes(tally) > handshakes(last[i]) + 10);
        if (isFine && advances) return true;
        last = now;
        await sleep(2_000);
        return undefined;
      },
      60_000,
    );
  }

  /** Of the handshakes in the mesh. */
  async withoutFailure(work: () => Promise<void>): Promise<string> {
    const before = await this.tallies();
    const start = performance.now();
    await work();
    // What has changed may fail a moment later.
    await sleep(2_000);
    const now = await this.tallies();
    const failed = now.map((tally, index) => tally.failed - (before[index]?.failed ?? 0));
    assert.deepEqual(failed, [0, 0], JSON.stringify(now));
    const made = sum(now.map(handshakes)) - sum(before.map(handshakes));
    assert.ok(made > 0);
    return `${made} handshakes in ${secondsSince(start)} s, none failed`;
  }

  /** Resolves when both pods of the mesh use certificates of requests that are not among `names`. */
  async whenRenewed(names: readonly string[], withinMs = 60_000): Promise<void> {
    let state: object = {};
    const probe = async () => {
      const fresh = (await this.requests('mesh')).filter(({ metadata }) => !names.includes(metadata.name));
      const serials = fresh.flatMap(request => (request.status?.certificateChain ? leafOf(request).serialNumber : []));
      const tallies = await this.tallies();
      state = { serials, tallies };
      const shown = new Set(tallies.flatMap(tally => Object.keys(tally.handshakes)));
      return serials.length >= 2 && serials.every(serial => shown.has(serial)) ? true : undefined;
    };
    await this.scene.node.eventually('both pods show new certificates', probe, withinMs).catch((cause: unknown) => {
      throw new Error(JSON.stringify(state), { cause });
    });
  }

  /** Those that the given CA has signed, of certificates that were issued. */
  signedBy(requests: readonly PodRequestObject[], ca: X509Certificate): X509Certificate[] {
    const chains = requests.flatMap(({ status }) => status?.certificateChain ?? []);
    return chains.map(pem => new X509Certificate(pem)).filter(leaf => leaf.verify(ca.publicKey));
  }
}

/** From its creation until it was ready: whole seconds, which is what the API server keeps. */
export function secondsUntilReady({ metadata, status }: PodObject): number {
  const ready = status.conditions?.find(({ type, status: value }) => type === 'Ready' && value === 'True');
  return (Date.parse(ready?.lastTransitionTime ?? '') - Date.parse(metadata.creationTimestamp)) / 1000;
}

export function secondsSince(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function handshakes(tally: Tally | undefined): number {
  return sum(Object.values(tally?.handshakes ?? {}));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
