// Sends requests to the Vault servers that issuers name: one pool of connections for each server and TLS material. Time
// and size of an answer are limited, redirects are not followed, and nothing of this process's environment is used.

import { hash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { exchange } from '@countersign/common/runtime/kube/exchange.ts';
import { Agent } from 'undici';
import { connectionFault, type VaultAnswer, VaultFault } from './vault-fault.ts';
import type { VaultMetrics, VaultPurpose } from './vault-metrics.ts';

export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

export interface VaultTarget {
  readonly server: string;
  readonly tls: TlsMaterial;
}

export interface VaultCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal?: AbortSignal;
  readonly purpose: VaultPurpose;
}

/** From the wait for a connection to the last byte of the answer. */
const TIMEOUT_MS = 10_000;
/** For an answer that needs no signature. */
const QUICK_TIMEOUT_MS = 5_000;
/** Many times a chain of 32 certificates. */
const MAX_BYTES = 512 * 1024;
const CONNECTIONS = 32;
const KEEP_ALIVE_MS = 30_000;
/** Pools beyond this are closed, the longest unused first. An idle pool has no connection. */
const MAX_POOLS = 256;
/** A Vault Agent in front of the server may require x-vault-request. */
const COMMON_HEADERS = { accept: 'application/json', 'content-type': 'application/json', 'x-vault-request': 'true' };

export class VaultServers {
  readonly #metrics: VaultMetrics;
  readonly #pools = new Map<string, Agent>();

  constructor(metrics: VaultMetrics) {
    this.#metrics = metrics;
  }

  /** Throws a VaultFault if there is no answer. */
  call(target: VaultTarget, call: VaultCall): Promise<VaultAnswer> {
    return this.#metrics.observe(call.purpose, () => this.#exchange(target, call));
  }

  async #exchange({ server, tls }: VaultTarget, call: VaultCall): Promise<VaultAnswer> {
    const { method, path, headers, body, signal, purpose } = call;
    const pool = this.#poolOf(server, tls);
    const { origin } = new URL(server);
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const options = { origin, path, method, headers: { ...headers, ...COMMON_HEADERS }, ...sent };
    const timeoutMs = purpose === 'sign' ? TIMEOUT_MS : QUICK_TIMEOUT_MS;
    const limits = { timeoutMs, maxBytes: MAX_BYTES, ...(signal && { signal }) };
    try {
      const answer = await exchange(pool, options, limits);
      return { statusCode: answer.statusCode, body: parseObject(answer.body.toString()) };
    } catch (error) {
      throw connectionFault(error);
    }
  }

  #poolOf(server: string, tls: TlsMaterial): Agent {
    const key = hash('sha256', JSON.stringify([new URL(server).origin, tls]));
    const known = this.#pools.get(key);
    const pool = known ?? createPool(tls);
    // Move to the end of the queue.
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    if (known === undefined) this.#evict();
    return pool;
  }

  #evict(): void {
    for (const [key, pool] of [...this.#pools].slice(0, Math.max(0, this.#pools.size - MAX_POOLS))) {
      this.#pools.delete(key);
      // Requests in flight finish.
      pool.close().catch(() => undefined);
    }
  }
}

function createPool({ ca, cert, key, serverName }: TlsMaterial): Agent {
  return new Agent({
    allowH2: false,
    pipelining: 1,
    connections: CONNECTIONS,
    headersTimeout: TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: {
      secureContext: secureContextOf({ ca, cert, key }),
      timeout: TIMEOUT_MS,
      ...(serverName && { servername: serverName }),
    },
  });
}

function secureContextOf({ ca, cert, key }: TlsMaterial) {
  try {
    return createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  } catch {
    // The error could contain a part of the key.
    const parts = cert ? 'the CA bundle, or the client certificate and its key,' : 'the CA bundle';
    throw new VaultFault('access', `${parts} cannot be parsed: store PEM`);
  }
}

function parseObject(text: string): VaultAnswer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
