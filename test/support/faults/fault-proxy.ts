// A TCP proxy on 127.0.0.1 that simulates network faults. TLS is passed through.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * pass: forward data. freeze: forward nothing and keep every connection open, as with a firewall that drops packets.
 * refuse: reset new connections.
 */
export type FaultMode = 'pass' | 'freeze' | 'refuse';

export class FaultProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  /** Connections that never forward data again. */
  readonly #forgotten = new Set<Socket>();
  #mode: FaultMode = 'pass';
  /** The number of connections opened so far. */
  opened = 0;
  /** Delay in milliseconds for each chunk. */
  delayMs = 0;
  /** Resets a connection after this number of response bytes. Disabled if undefined. */
  truncateAfter = Number.POSITIVE_INFINITY;

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer(client => this.#connect(client));
  }

  /** Forwards to an address such as https://127.0.0.1:6443. */
  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(target));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set mode(mode: FaultMode) {
    this.#mode = mode;
    for (const socket of this.#sockets) {
      if (mode === 'freeze') socket.pause();
      else socket.resume();
    }
  }

  /** Forwards everything again, including data of frozen connections. */
  heal(): void {
    this.delayMs = 0;
    this.truncateAfter = Number.POSITIVE_INFINITY;
    this.mode = 'pass';
  }

  /** Silently drops all data of open connections; new connections work. Simulates a firewall restart. */
  forget(): void {
    for (const socket of this.#sockets) this.#forgotten.add(socket.pause());
    this.#sockets.clear();
  }

  /** Resets every open connection. */
  cut(): void {
    for (const socket of [...this.#sockets, ...this.#forgotten]) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket): void {
    this.opened += 1;
    if (this.#mode === 'refuse') return void client.resetAndDestroy();
    const upstream = createConnection(this.#target);
    this.#join(client, upstream, Number.POSITIVE_INFINITY);
    this.#join(upstream, client, this.truncateAfter);
  }

  #join(from: Socket, to: Socket, limit: number): void {
    this.#sockets.add(from);
    let left = limit;
    from.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) from.resetAndDestroy();
      else if (this.delayMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), this.delayMs);
    });
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#forgotten.delete(from);
      to.destroySoon();
    });
    if (this.#mode === 'freeze') from.pause();
  }
}
