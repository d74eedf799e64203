// Which connections may stay open. Anyone in the pod network can open them, so their number is bounded; a new connection is always
// accepted, and another one closed for it. Never reads what is sent.

import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** How many connections are open at most. Half of them are kept for each kind, silent and proven, when both are many. */
  readonly connections: number;
  /** From the accepted connection to the first answer that counts, the TLS handshake included. */
  readonly firstRequestMs: number;
}

interface Connection {
  readonly socket: Socket;
  readonly source: string;
  readonly timer: NodeJS.Timeout;
}

/** An address with a greater share than this of a line loses its own connections before anyone else loses one. */
const FAIR_SHARE = 1 / 8;

/** Connections in the order in which they are closed. A flood comes in tens of thousands a second: none is looked for one by one. */
class Line {
  readonly #all = new Map<string, Connection>();
  readonly #bySource = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#all.size;
  }

  get(key: string): Connection | undefined {
    return this.#all.get(key);
  }

  values(): Iterable<Connection> {
    return this.#all.values();
  }

  add(key: string, connection: Connection): void {
    const { source } = connection;
    this.#all.set(key, connection);
    this.#bySource.set(source, (this.#bySource.get(source) ?? new Set()).add(connection));
  }

  delete(key: string): void {
    const connection = this.#all.get(key);
    if (connection === undefined) return;
    this.#all.delete(key);
    const own = this.#bySource.get(connection.source);
    own?.delete(connection);
    if (own?.size === 0) this.#bySource.delete(connection.source);
  }

  /** The first in line; if one address has more than its share of the line, the first of the address that has most. */
  firstToClose(): Connection | undefined {
    let busiest: ReadonlySet<Connection> = new Set();
    for (const own of this.#bySource.values()) if (own.size > busiest.size) busiest = own;
    const [first] = busiest.size > this.size * FAIR_SHARE ? busiest : this.#all.values();
    return first;
  }
}

export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  /** Connections without an answered request, in the order of arrival. */
  readonly #silent = new Line();
  /** The others, in the order of their last answer. */
  readonly #proven = new Line();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes a connection that was just accepted, before its TLS handshake. */
  admit(socket: Socket): void {
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.firstRequestMs);
    this.#silent.add(key, { socket, source: socket.remoteAddress ?? '', timer });
    socket.once('close', () => this.#forget(key));
    if (this.#silent.size + this.#proven.size > this.#limits.connections) this.#makeRoom();
  }

  /** A request that the server is there for was answered on this connection: it stays as long as it is used. */
  answered(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    const key = keyOf(socket);
    const connection = this.#forget(key);
    if (connection !== undefined) this.#proven.add(key, connection);
  }

  closeAll(): void {
    for (const { socket } of [...this.#silent.values(), ...this.#proven.values()]) socket.destroy();
  }

  /** A flood of one kind closes connections of that kind: callers that are new do not push out those in use, nor the reverse. */
  #makeRoom(): void {
    const line = this.#silent.size > this.#limits.connections / 2 ? this.#silent : this.#proven;
    const victim = line.firstToClose();
    if (victim === undefined) return;
    this.#forget(keyOf(victim.socket));
    victim.socket.destroy();
  }

  #forget(key: string): Connection | undefined {
    const connection = this.#silent.get(key) ?? this.#proven.get(key);
    clearTimeout(connection?.timer);
    this.#silent.delete(key);
    this.#proven.delete(key);
    return connection;
  }
}

function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
