// Which connections may stay open. Anyone in the pod network can open them, so their number is bounded, and a new one always gets
// in: the one that gives way is the oldest of the busiest source that has never sent an AdmissionReview. Never reads what is sent.

import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** How many connections are open at most. */
  readonly connections: number;
  /** From the accepted connection to its first request, the TLS handshake included. */
  readonly firstRequestMs: number;
}

interface Connection {
  readonly socket: Socket;
  readonly source: string;
  readonly timer: NodeJS.Timeout;
}

type Open = Map<string, Connection>;

/** The connections from one address, the first to give way first: those without an AdmissionReview yet, and the others. */
interface Source {
  readonly silent: Open;
  readonly proven: Open;
}

export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  readonly #sources = new Map<string, Source>();
  #size = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes a connection that was just accepted, before its TLS handshake. */
  admit(socket: Socket): void {
    const source = socket.remoteAddress ?? '';
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.firstRequestMs);
    const open = this.#sources.get(source) ?? { silent: new Map(), proven: new Map() };
    this.#sources.set(source, open);
    open.silent.set(key, { socket, source, timer });
    this.#size += 1;
    socket.once('close', () => this.#forget(source, key));
    if (this.#size > this.#limits.connections) this.#makeRoom();
  }

  /** An AdmissionReview was answered on this connection: it stays as long as it is used. */
  answered(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    const key = keyOf(socket);
    const open = this.#sources.get(socket.remoteAddress ?? '');
    const connection = open?.silent.get(key) ?? open?.proven.get(key);
    if (open === undefined || connection === undefined) return;
    clearTimeout(connection.timer);
    open.silent.delete(key);
    // The last that was used is the last to give way.
    open.proven.delete(key);
    open.proven.set(key, connection);
  }

  /** A flood comes from few addresses. An API server has one of its own, or has been answered before. */
  #makeRoom(): void {
    let busiest: Source | undefined;
    for (const open of this.#sources.values()) if (sizeOf(open) > sizeOf(busiest)) busiest = open;
    const [victim] = [...(busiest?.silent.values().take(1) ?? []), ...(busiest?.proven.values().take(1) ?? [])];
    if (victim === undefined) return;
    this.#forget(victim.source, keyOf(victim.socket));
    victim.socket.destroy();
  }

  #forget(source: string, key: string): void {
    const open = this.#sources.get(source);
    const connection = open?.silent.get(key) ?? open?.proven.get(key);
    if (open === undefined || connection === undefined) return;
    clearTimeout(connection.timer);
    open.silent.delete(key);
    open.proven.delete(key);
    if (sizeOf(open) === 0) this.#sources.delete(source);
    this.#size -= 1;
  }
}

function sizeOf(open: Source | undefined): number {
  return open === undefined ? 0 : open.silent.size + open.proven.size;
}

function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
