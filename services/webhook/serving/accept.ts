// What happens to a connection before it is served: the gate counts it, its TLS handshake waits for its turn, and a handshake that
// fails is counted. Never reads what is sent.

import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionGate } from '@countersign/common/runtime/process/connection-gate.ts';
import { HandshakeFailures, type HandshakeFailuresOptions } from './handshake-failures.ts';
import { HandshakeTurns } from './handshake-turns.ts';

export interface AcceptOptions extends HandshakeFailuresOptions {
  readonly connections: ConnectionGate;
  /** From the accepted connection to the caller's first bytes. */
  readonly timeoutMs: number;
}

/** Puts itself between the server's socket and Node's listener, which begins the handshake. */
export function acceptInTurns(server: Server, { connections, timeoutMs, ...options }: AcceptOptions): void {
  const failures = new HandshakeFailures(options);
  server.on('tlsClientError', (error, caller) => failures.note(error, caller));
  const [begin] = server.listeners('connection');
  const turns = new HandshakeTurns({
    begin: socket => begin?.call(server, socket),
    fail: error => failures.note(error),
    timeoutMs,
  });
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    connections.admit(socket);
    turns.add(socket);
  });
}

/** Node counts from the first byte of a request on; an idle connection has none. */
export function timeLimits(timeoutMs: number) {
  return {
    handshakeTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    requestTimeout: 2 * timeoutMs,
    connectionsCheckingInterval: timeoutMs / 4,
  };
}
