// Handles a connection before it is served: the gate counts it, its TLS handshake is queued, and failed handshakes are
// counted. Never reads the data.

import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionGate } from '@countersign/common/runtime/process/connection-gate.ts';
import { HandshakeFailures, type HandshakeFailuresOptions } from './handshake-failures.ts';
import { HandshakeQueue } from './handshake-queue.ts';

export interface AcceptOptions extends HandshakeFailuresOptions {
  readonly connections: ConnectionGate;
  /** From accepting the connection to the caller's first bytes. */
  readonly timeoutMs: number;
}

/** Intercepts new connections before Node's own listener, which starts the handshake. */
export function queueHandshakes(server: Server, { connections, timeoutMs, ...options }: AcceptOptions): void {
  const failures = new HandshakeFailures(options);
  server.on('tlsClientError', (error, caller) => failures.note(error, caller));
  const [begin] = server.listeners('connection');
  const turns = new HandshakeQueue({
    begin: socket => begin?.call(server, socket),
    fail: error => failures.note(error),
    timeoutMs,
  });
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    connections.admit(socket);
    turns.add(socket);
  });
}

/** Node measures from the first byte of a request, so that idle connections do not time out. */
export function timeLimits(timeoutMs: number) {
  return {
    handshakeTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    requestTimeout: 2 * timeoutMs,
    connectionsCheckingInterval: timeoutMs / 4,
  };
}
