// The base of integration tests: a control plane with the chart installed and both services running, and shortcuts for
// what users do. Every wait has a timeout, and the error includes the last lines of the services' logs.

import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from './api.ts';
import { logTail } from './control-plane/child.ts';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.ts';
import { type Installation, type InstallOptions, install } from './installation.ts';

export interface KeyPairFiles {
  /** PEM, the signing certificate first. */
  readonly certificate: string;
  readonly key: string;
  /** PEM for `ca.crt`. */
  readonly root?: string;
}

export interface IssuerPlace {
  /** undefined for a ClusterIssuer. */
  readonly namespace?: string;
  readonly name: string;
}

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface IssuerObject extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly observedGeneration?: number;
    }[];
  };
}

interface EventList {
  readonly items: readonly {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly count: number;
    readonly source: { readonly component: string };
  }[];
}

export type ClusterOptions = InstallOptions & { readonly dir?: string };

/** Resolves when everything is running. The caller must stop it. */
export async function startCluster({ dir, ...options }: ClusterOptions = {}): Promise<Cluster> {
  const controlPlane = await startControlPlane(dir === undefined ? {} : { dir });
  try {
    const installation = await install(controlPlane, options);
    return new Cluster(controlPlane, installation, await Api.fromKubeconfig(controlPlane.adminKubeconfig));
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

export class Cluster {
  #controlPlane: ControlPlane;
  readonly installation: Installation;
  readonly api: Api;

  constructor(controlPlane: ControlPlane, installation: Installation, api: Api) {
    this.#controlPlane = controlPlane;
    this.installation = installation;
    this.api = api;
  }

  get controlPlane(): ControlPlane {
    return this.#controlPlane;
  }

  /** Restarts etcd and the API server on the same port with the same data. Needs the option `dir`. */
  async restartControlPlane(whileDown: () => Promise<void> = async () => {}): Promise<void> {
    const { dir, url } = this.#controlPlane;
    await this.#controlPlane.stop();
    await whileDown();
    this.#controlPlane = await startControlPlane({ dir });
    if (this.#controlPlane.url !== url) throw new Error(`another process has taken the port of ${url}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.api.close(), this.installation.stop()]);
    await this.#controlPlane.stop();
  }

  /** Polls until `probe` returns a value. */
  async eventually<T>(what: string, probe: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const start = performance.now();
      const found = await probe();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`Timeout after ${withinMs} ms: ${what}\n${this.logTails()}`);
      // A slow probe must not delay everything else.
      await sleep(Math.max(50, performance.now() - start));
    }
  }

  logTails(): string {
    const running = (['signer', 'webhook', 'approver'] as const).flatMap(name => this.installation.running(name));
    return running.map(({ name, child }) => `The log of the ${name} ends with:\n${logTail(child.logPath)}`).join('\n');
  }

  async createNamespace(name: string): Promise<string> {
    await this.api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    return name;
  }

  createSecret(namespace: string, name: string, data: Readonly<Record<string, string>>): Promise<KubeObject> {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
    return this.api.create(`/api/v1/namespaces/${namespace}/secrets`, secret);
  }

  /** Creates a CA issuer and its Secret of the same name. */
  async createCaIssuer(place: IssuerPlace, pair: KeyPairFiles, extra: object = {}): Promise<string> {
    await this.createSecret(place.namespace ?? 'countersign', place.name, secretData(pair));
    return this.createIssuer(place, { ca: { secretName: place.name, ...extra } });
  }

  /** Returns the signer name. */
  async createIssuer({ namespace, name }: IssuerPlace, spec: object): Promise<string> {
    const kind = namespace === undefined ? 'ClusterIssuer' : 'Issuer';
    const issuer = { apiVersion: 'cert-manager.io/v1', kind, metadata: { name }, spec };
    await this.api.create(issuersPath(namespace), issuer);
    return namespace === undefined
      ? `clusterissuers.cert-manager.io/${name}`
      : `issuers.cert-manager.io/${namespace}.${name}`;
  }

  getIssuer({ namespace, name }: IssuerPlace): Promise<IssuerObject> {
    return this.api.get(`${issuersPath(namespace)}/${name}`);
  }

  /** Such as `True KeyPairVerified: Signing CA verified`; undefined while there is no Ready condition. */
  async readinessOf(place: IssuerPlace): Promise<string | undefined> {
    const { status } = await this.getIssuer(place);
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return ready && `${ready.status} ${ready.reason}: ${ready.message}`;
  }

  whenReady(place: IssuerPlace, withinMs?: number): Promise<string> {
    const isReady = async () => {
      const readiness = await this.readinessOf(place);
      return readiness?.startsWith('True') ? readiness : undefined;
    };
    return this.eventually(`${place.namespace ?? ''}/${place.name} is Ready`, isReady, withinMs);
  }

  /** Creates a Role that allows referencing one issuer, or with `*` all issuers of the namespace. */
  createReferencerRole(namespace: string, name: string, issuer: string): Promise<KubeObject> {
    const rule = {
      apiGroups: ['cert-manager.io'],
      resources: ['signers'],
      verbs: ['reference'],
      resourceNames: [issuer],
    };
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules: [rule] };
    return this.api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`, role);
  }

  /** Runs kubectl as the administrator; throws its error output. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.installation.kubectl(args, input);
  }

  /**
   * Returns the events of an object as `type reason: message`, sorted, once there are as many as expected: they are
   * written after the status. Each must be recorded once, and by the signer.
   */
  eventsOf(object: KubeObject, count: number, namespace = 'default'): Promise<string[]> {
    return this.eventually(`${count} events of ${object.metadata.name}`, async () => {
      const events = await this.readEvents(object, namespace);
      return events.length >= count ? events : undefined;
    });
  }

  private async readEvents({ metadata }: KubeObject, namespace: string): Promise<string[]> {
    const selector = encodeURIComponent(`involvedObject.uid=${metadata.uid}`);
    const { items } = await this.api.get<EventList>(`/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`);
    return items
      .map(({ type, reason, message, count, source }) => {
        const oddity =
          count === 1 && source.component === 'countersign-signer' ? '' : `${source.component} ${count} times: `;
        return `${oddity}${type} ${reason}: ${message}`;
      })
      .toSorted();
  }
}

export function secretData({ certificate, key, root }: KeyPairFiles): Record<string, string> {
  return { 'tls.crt': certificate, 'tls.key': key, ...(root !== undefined && { 'ca.crt': root }) };
}

function issuersPath(namespace: string | undefined): string {
  const base = '/apis/cert-manager.io/v1';
  return namespace === undefined ? `${base}/clusterissuers` : `${base}/namespaces/${namespace}/issuers`;
}
