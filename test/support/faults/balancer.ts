// A TCP proxy on 127.0.0.1 that distributes connections to ready replicas, like a Service. TLS is passed through.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Replica {
  readonly port: number;
  /** The URL that serves /readyz. */
  readonly url: string;
}

/** A kubelet probes every few seconds; here, a replica that shuts down must be detected before it exits. */
const PROBE_MS = 50;
const PROBE_TIMEOUT_MS = 500;

export class Balancer {
  readonly #server: Server = createServer(client => this.#connect(client));
  /** The connections of the API server. */
  readonly #clients = new Set<Socket>();
  readonly #stop = new AbortController();
  #replicas: readonly Replica[] = [];
  #ready: readonly Replica[] = [];
  #turn = 0;

  static async start(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    void balancer.#probe();
    return balancer;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set replicas(replicas: readonly Replica[]) {
    this.#replicas = replicas;
  }

  /**
   * Closes every connection and waits until the API server has noticed, so that its next call starts with a
   * TLS handshake.
   */
  async hangUp(): Promise<void> {
    const clients = [...this.#clients];
    const closed = clients.map(client => once(client, 'close'));
    for (const client of clients) client.end();
    await Promise.all(closed);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #probe(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // The list may have changed by the time all have answered.
      const asked = this.#replicas;
      const areReady = await Promise.all(asked.map(isReady));
      this.#ready = asked.filter((_, at) => areReady[at]);
      await sleep(PROBE_MS);
    }
  }

  #connect(client: Socket): void {
    this.#turn += 1;
    const replica = this.#ready[this.#turn % this.#ready.length];
    if (replica === undefined) return void client.destroy();
    const upstream = createConnection(replica.port, '127.0.0.1');
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    join(client, upstream);
    join(upstream, client);
  }
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

async function isReady({ url }: Replica): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok;
  } catch {
    return false;
  }
}
