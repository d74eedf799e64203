// A TCP proxy on 127.0.0.1 that breaks connections in the ways in which networks do. It passes bytes on unread, so that TLS stays
// between its two ends.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * pass: as they come. freeze: nothing is passed on, and every connection stays open, as with a peer behind a firewall that has
 * forgotten them. refuse: new connections are reset.
 */
export type FaultMode = 'pass' | 'freeze' | 'refuse';

export class FaultProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  /** Those on which nothing will ever pass again. */
  readonly #forgotten = new Set<Socket>();
  #mode: FaultMode = 'pass';
  /** Connections that were opened so far. */
  opened = 0;
  /** Milliseconds by which each piece is late. */
  delayMs = 0;
  /** Bytes of answers after which each connection is cut; none without it. */
  truncateAfter = Number.POSITIVE_INFINITY;

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer(client => this.#connect(client));
  }

  /** Passes on to the address, as in https://127.0.0.1:6443. */
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

  /** Passes everything on again; a connection that only waited goes on. */
  heal(): void {
    this.delayMs = 0;
    this.truncateAfter = Number.POSITIVE_INFINITY;
    this.mode = 'pass';
  }

  /** Nothing passes on the open connections any more, and new ones work: as with a firewall that was restarted. */
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
