// The two pools of connections to the API server, one for requests and one for watches: their sizes, keep-alive and
// timeouts. Sends nothing.

import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { Agent } from 'undici';
import type { Credentials } from '../credentials/kube-credentials.ts';

/**
 * More than enough for 64 concurrent reconciliations. HTTP/1.1 on purpose: with undici it was measured faster than
 * HTTP/2, and a slow response does not block others.
 */
const MAX_CONNECTIONS = 64;

/** Below the 90 s after which kube-apiserver closes idle connections, and the 60 s of most load balancers. */
const KEEP_ALIVE_MS = 30_000;

/**
 * How long the connection of a watch waits for the next watch, which follows at once. A connection is known to be alive
 * when the server has just ended a watch normally, but not some time later.
 */
const KEEP_WATCH_MS = 1_000;

export interface Agents {
  readonly fingerprint: string;
  readonly origin: string;
  /** The server may be behind a path prefix, as with Rancher. */
  readonly prefix: string;
  readonly requests: Agent;
  readonly watches: Agent;
  /** Creates an empty pool for requests. */
  readonly createRequests: () => Agent;
}

export function createAgents({ server, tls, fingerprint }: Credentials, timeoutMs: number): Agents {
  const { servername, ...material } = tls;
  // Created once: parsing the certificates and the key takes a millisecond, and there are dozens of connections.
  const connect = { secureContext: createSecureContext(material), ...(servername ? { servername } : {}) };
  const createRequests = () => createAgent(connect, timeoutMs, { connections: MAX_CONNECTIONS });
  return {
    fingerprint,
    origin: server.origin,
    prefix: server.pathname.replace(/\/$/, ''),
    requests: createRequests(),
    createRequests,
    // In a separate pool, watches cannot starve requests. A watch may be silent; its reader decides for how long.
    watches: createAgent(connect, timeoutMs, {
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_WATCH_MS,
      // Whatever the server allows (Keep-Alive: timeout=).
      keepAliveMaxTimeout: KEEP_WATCH_MS,
    }),
  };
}

function createAgent(
  connect: Pick<ConnectionOptions, 'secureContext' | 'servername'>,
  timeoutMs: number,
  options: Agent.Options,
): Agent {
  return new Agent({
    allowH2: false,
    pipelining: 1,
    headersTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...options,
    connect: { ...connect, timeout: timeoutMs, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
  });
}
