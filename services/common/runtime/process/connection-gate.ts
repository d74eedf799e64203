// Limits open connections. Anyone in the pod network can open them, so their number is bounded: a new connection is
// always accepted, and another one is closed for it. Never reads data.

import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** Maximum open connections. Half of them are reserved for each kind, silent and proven, if both are many. */
  readonly connections: number;
  /** From accepting the connection to the first answered request, including the TLS handshake. */
  readonly firstRequestMs: number;
}

interface Connection {
  readonly socket: Socket;
  readonly source: string;
  readonly timer: NodeJS.Timeout;
}

/** An address with a larger share of a line than this loses its own connections first. */
const FAIR_SHARE = 1 / 8;

/** Connections in closing order. A flood opens tens of thousands a second: no operation searches them one by one. */
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

  /**
   * The first in line or, if one address has more than its share of the line, the first of the address that has most.
   */
  firstToClose(): Connection | undefined {
    let busiest: ReadonlySet<Connection> = new Set();
    for (const own of this.#bySource.values()) if (own.size > busiest.size) busiest = own;
    const [first] = busiest.size > this.size * FAIR_SHARE ? busiest : this.#all.values();
    return first;
  }
}

export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  /** Connections without an answered request, in order of arrival. */
  readonly #silent = new Line();
  /** The others, in order of their last answer. */
  readonly #proven = new Line();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Registers a connection that was just accepted, before its TLS handshake. */
  admit(socket: Socket): void {
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.firstRequestMs);
    this.#silent.add(key, { socket, source: socket.remoteAddress ?? '', timer });
    socket.once('close', () => this.#forget(key));
    if (this.#silent.size + this.#proven.size > this.#limits.connections) this.#makeRoom();
  }

  /** A valid request was answered on this connection: it stays open as long as it is used. */
  answered(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    const key = keyOf(socket);
    const connection = this.#forget(key);
    if (connection !== undefined) this.#proven.add(key, connection);
  }

  closeAll(): void {
    for (const { socket } of [...this.#silent.values(), ...this.#proven.values()]) socket.destroy();
  }

  /** A flood of one kind closes connections of that kind: new clients do not displace active ones, nor the reverse. */
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
