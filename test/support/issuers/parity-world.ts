// Issues the same requests twice on one control plane: by Countersign, with cert-manager's usual controllers, and by
// cert-manager's own CSR controllers while the signer is stopped. Compares nothing.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequest } from '../certificate-checks.ts';
import type { Cluster } from '../cluster.ts';
import { NAMESPACE } from '../installation.ts';
import { type OpenBao, startOpenBao } from '../openbao.ts';
import { readPki } from '../pki.ts';
import { type CsrInput, createThenApprove } from '../requests.ts';
import { createToken, setUpPki } from '../vault-pki.ts';
import { API, DelegatedWorld } from './delegated-world.ts';
import { type Outcome, waitForOutcomes } from './parity-outcome.ts';
import { startPebble } from './pebble.ts';

export type Side = 'countersign' | 'certManager';

export interface ParityCase {
  /** Part of the names of the CSRs. */
  readonly name: string;
  readonly signerName: string;
  /** Options of `openssl req`. */
  readonly options: readonly string[];
  readonly asked?: Omit<CsrInput, 'name' | 'signerName' | 'request'>;
  /** Where a CSR waits: the beginning of the event that shows it. */
  readonly waits?: Partial<Record<Side, string>>;
}

/** The namespace of the Issuers. Their Ready conditions are written by hand: cert-manager does not watch them here. */
export const TENANT = 'parity';

const ORDERS = ['clusterissuers', 'orders', 'challenges'];
const TYPES = ['acme', 'vault', 'venafi'];
const CONTROLLERS: Readonly<Record<Side, readonly string[]>> = {
  countersign: [...ORDERS, 'certificaterequests-approver', ...TYPES.map(type => `certificaterequests-issuer-${type}`)],
  certManager: [...ORDERS, ...TYPES.map(type => `certificatesigningrequests-issuer-${type}`)],
};
/** Requests that the webhook denies are compared, too: it does not run. */
const NO_WEBHOOK = 'https://127.0.0.1:1/validate';
/** Much longer than any server or backoff takes. */
const READY_MS = 60_000;

export class ParityWorld {
  readonly world: DelegatedWorld;
  readonly bao: OpenBao;
  /** By the name of the case. */
  readonly #requests = new Map<string, Promise<string>>();

  private constructor(world: DelegatedWorld, bao: OpenBao) {
    this.world = world;
    this.bao = bao;
  }

  /** cert-manager runs with its usual controllers, except the one for Issuers; the signer does not. Must be stopped. */
  static async start(domains: readonly string[]): Promise<ParityWorld> {
    const bao = await startOpenBao();
    const starting = DelegatedWorld.start({ signers: 0, managedWebhookUrl: NO_WEBHOOK });
    const world = await starting.catch(async error => {
      await bao.stop();
      throw error;
    });
    const parity = new ParityWorld(world, bao);
    try {
      await parity.#install(domains);
      return parity;
    } catch (error) {
      await parity.stop();
      throw error;
    }
  }

  async #install(domains: readonly string[]): Promise<void> {
    const { bao, cluster, world } = this;
    await world.certManager.start(CONTROLLERS.countersign);
    await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'countersign-webhook']);
    await setUpPki(bao);
    await cluster.createNamespace(TENANT);
    await world.createSecrets(TENANT, []);
    await world.createSecrets(NAMESPACE, domains);
    await cluster.createSecret(TENANT, 'vault', { token: await createToken(bao) });
  }

  get cluster(): Cluster {
    return this.world.cluster;
  }

  async stop(): Promise<void> {
    await this.bao.stop();
    await this.world.stop();
  }

  /** A ClusterIssuer that cert-manager verifies. */
  async createVerified(name: string, spec: object): Promise<void> {
    const { cluster, world } = this;
    await cluster.createIssuer({ name }, spec);
    try {
      await cluster.whenReady({ name }, READY_MS);
    } catch (cause) {
      throw new Error(`${name}: ${await cluster.readinessOf({ name })}\n${world.certManager.logTails()}`, { cause });
    }
  }

  /** An ACME issuer whose server is stopped after the account was registered. */
  async createAbandoned(
    name: string,
    toSpec: (server: Awaited<ReturnType<typeof startPebble>>) => object,
  ): Promise<void> {
    const dir = join(this.cluster.controlPlane.dir, name);
    await mkdir(dir, { recursive: true });
    const server = await startPebble(dir);
    try {
      await this.createVerified(name, toSpec(server));
    } finally {
      await server.stop();
    }
  }

  /** An Issuer that is Ready whatever its spec says. */
  async createTrusted(name: string, spec: object): Promise<void> {
    await this.cluster.createIssuer({ namespace: TENANT, name }, spec);
    const ready = { type: 'Ready', status: 'True', reason: 'ByHand', message: 'so that requests get this far' };
    const path = `${API}/namespaces/${TENANT}/issuers/${name}/status`;
    await this.cluster.api.patch(path, { status: { conditions: [ready] } });
  }

  async startSigner(): Promise<void> {
    await this.cluster.installation.start('signer');
  }

  /** From now on, cert-manager's CSR controllers run, and the signer does not. */
  async handOver(): Promise<void> {
    const { certManager } = this.world;
    await Promise.all([certManager.stopControllers(), this.#stopSigner()]);
    await certManager.startControllers(CONTROLLERS.certManager);
  }

  /** The outcome of every case, by name. */
  async run(side: Side, cases: readonly ParityCase[]): Promise<ReadonlyMap<string, Outcome>> {
    const wanted = new Map(
      cases.map(each => [`${each.name}-${side.toLowerCase()}`, { name: each.name, waits: each.waits?.[side] }]),
    );
    const { cluster } = this;
    await Promise.all(
      cases.map(async ({ name, signerName, options, asked }) => {
        const request = await this.#requestOf(name, options);
        await createThenApprove(cluster, { name: `${name}-${side.toLowerCase()}`, signerName, request, ...asked });
      }),
    );
    return waitForOutcomes(cluster, wanted);
  }

  /** Both sides get the same PKCS#10 request. */
  #requestOf(name: string, options: readonly string[]): Promise<string> {
    const known = this.#requests.get(name) ?? createRequest(readPki('keys/p256'), 'unused', ...options);
    this.#requests.set(name, known);
    return known;
  }

  async #stopSigner(): Promise<void> {
    await Promise.all(this.cluster.installation.running('signer').map(({ child }) => child.stop(10_000)));
  }
}
