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

/** The first is the first to be closed. */
type Line = Map<string, Connection>;

/** An address with a greater share than this of a line loses its own connections before anyone else loses one. */
const FAIR_SHARE = 1 / 8;

export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  /** Connections without an answered request, in the order of arrival. */
  readonly #silent: Line = new Map();
  /** The others, in the order of their last answer. */
  readonly #proven: Line = new Map();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes a connection that was just accepted, before its TLS handshake. */
  admit(socket: Socket): void {
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.firstRequestMs);
    this.#silent.set(key, { socket, source: socket.remoteAddress ?? '', timer });
    socket.once('close', () => this.#forget(key));
    if (this.#silent.size + this.#proven.size > this.#limits.connections) this.#makeRoom();
  }

  /** A request that the server is there for was answered on this connection: it stays as long as it is used. */
  answered(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    const key = keyOf(socket);
    const connection = this.#forget(key);
    if (connection !== undefined) this.#proven.set(key, connection);
  }

  closeAll(): void {
    for (const { socket } of [...this.#silent.values(), ...this.#proven.values()]) socket.destroy();
  }

  /** A flood of one kind closes connections of that kind: callers that are new do not push out those in use, nor the reverse. */
  #makeRoom(): void {
    const victim = firstToClose(this.#silent.size > this.#limits.connections / 2 ? this.#silent : this.#proven);
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

/** The first in line; if one address has more than its share of the line, the first of the address that has most. */
function firstToClose(line: Line): Connection | undefined {
  const counts = new Map<string, number>();
  let busiest = '';
  for (const { source } of line.values()) {
    counts.set(source, (counts.get(source) ?? 0) + 1);
    if ((counts.get(source) ?? 0) > (counts.get(busiest) ?? 0)) busiest = source;
  }
  const isUnfair = (counts.get(busiest) ?? 0) > line.size * FAIR_SHARE;
  return line.values().find(({ source }) => !isUnfair || source === busiest);
}

function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
