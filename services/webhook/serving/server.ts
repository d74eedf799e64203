// The webhook's HTTPS server: TLS, connection limits and shutdown. The responses come from the app that it serves.

import { constants } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  explainListenError,
  type ListenAddress,
  listenOptions,
} from '@countersign/common/runtime/options/listen-address.ts';
import { ConnectionGate, type ConnectionLimits } from '@countersign/common/runtime/process/connection-gate.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { PipeliningGuard } from '@countersign/common/runtime/process/pipelining-guard.ts';
import { type FastifyInstance, fastify } from 'fastify';
import type { AdmissionHandler } from '../handler.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { queueHandshakes, timeLimits } from './accept.ts';
import { instanceOptions, webhookApp } from './app.ts';
import type { KeyPair } from './serving-certificate.ts';

/** Longer than the API server keeps an idle connection (90 s), so that it is never closed just as it is reused. */
const KEEP_ALIVE_MS = 120_000;

/**
 * A connection takes about 60 kB of TLS buffers (measured). An API server opens one per admission in flight, and
 * has about 300 seats for clients that create CSRs (priority level workload-low). Ten seconds exceed the 5 s after
 * which it gives up. It may leave a new connection unused; if that is closed just as it is used, Go's net/http
 * retries the request.
 */
const CONNECTION_LIMITS: ConnectionLimits = { connections: 512, firstRequestMs: 10_000 };

/**
 * Limit each for a handshake, the headers of a request, its body, and the delivery of the response. The API server
 * itself gives up after 5 s.
 */
const TRANSFER_TIMEOUT_MS = 10_000;

/**
 * Connections that the kernel queues until they are accepted (at most net.core.somaxconn, 4096 by default). When the
 * queue is full, a caller retries after a second.
 */
const BACKLOG = 4_096;

/** Longer than any admission takes. */
const GRACE_MS = 5_000;

export interface ServerOptions {
  readonly handle: AdmissionHandler;
  readonly log: Logger;
  readonly metrics: WebhookMetrics;
  /** How long `close` waits for responses before it closes the remaining connections. */
  readonly graceMs?: number;
  readonly transferTimeoutMs?: number;
  readonly connectionLimits?: ConnectionLimits;
  /** Whether callers need a certificate from the client CA of the key pair. */
  readonly needsClientCertificate?: boolean;
}

export class WebhookServer {
  readonly #app: FastifyInstance<Server>;
  readonly #graceMs: number;
  readonly #connections: ConnectionGate;
  #isListening = false;
  #isDraining = false;

  constructor(options: ServerOptions) {
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#connections = new ConnectionGate(options.connectionLimits ?? CONNECTION_LIMITS);
    this.#app = createApp(options, this.#connections, () => this.#isDraining);
    const { log, metrics, transferTimeoutMs: timeoutMs = TRANSFER_TIMEOUT_MS } = options;
    queueHandshakes(this.#app.server, { connections: this.#connections, log, metrics, timeoutMs });
  }

  get problems(): string[] {
    return this.#isListening ? [] : ['HTTPS server: not listening'];
  }

  /** Call after the first useKeyPair. Returns the port; rejects if the address is in use. */
  async listen(address: ListenAddress): Promise<number> {
    await this.#app.listen({ ...listenOptions(address), backlog: BACKLOG }).catch((error: Error) => {
      throw explainListenError(error, '--address', address);
    });
    this.#isListening = true;
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** Affects only new connections; open ones keep their certificate. */
  readonly useKeyPair = ({ cert, key, ca }: KeyPair): void =>
    // No renegotiation: each handshake has to cost the caller a new connection.
    this.#app.server.setSecureContext({ cert, key, ca, secureOptions: constants.SSL_OP_NO_RENEGOTIATION });

  /**
   * From now on, each response closes its connection: a request may already be in transit on a connection that is
   * closed while idle.
   */
  drain(): void {
    this.#isDraining = true;
  }

  /** Stops accepting connections, waits for pending responses, and closes each connection as soon as it is idle. */
  async close(): Promise<void> {
    this.#isListening = false;
    const { server } = this.#app;
    // Otherwise a connection that becomes idle during the close would stay open until its keep-alive timeout.
    // setImmediate lets Node read received data first: a connection with a request in its buffer looks idle.
    const sweep = setInterval(() => setImmediate(() => server.closeIdleConnections()), 20);
    const cut = setTimeout(() => this.#connections.closeAll(), this.#graceMs);
    await nextTurn();
    await this.#app.close();
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

function createApp(options: ServerOptions, gate: ConnectionGate, isDraining: () => boolean): FastifyInstance<Server> {
  const { handle, log, metrics, transferTimeoutMs = TRANSFER_TIMEOUT_MS } = options;
  const app = fastify({
    // The API server always uses HTTP/1.1 for webhooks (kubernetes#75791).
    https: { ...timeLimits(transferTimeoutMs), requestCert: options.needsClientCertificate ?? false },
    ...instanceOptions(log),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 2 * transferTimeoutMs,
    forceCloseConnections: 'idle',
    // A 503 while draining would deny a CSR (failurePolicy Fail), so requests that still arrive are answered.
    return503OnClosing: false,
  });
  refusePipelining(app);
  app.addHook('onSend', async ({ raw }, reply) => {
    if (reply.statusCode === 200) gate.answered(raw.socket);
    if (isDraining()) reply.header('connection', 'close');
    limitSending(reply.raw, transferTimeoutMs);
  });
  app.register(webhookApp, { handle, metrics, transferTimeoutMs });
  return app;
}

function refusePipelining(app: FastifyInstance<Server>): void {
  const requests = new PipeliningGuard();
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (!requests.admit(raw, reply.raw)) reply.hijack();
  });
}

/** Otherwise a response that the caller does not read would stay in memory as long as its connection. */
function limitSending(response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  finished(response, () => clearTimeout(timer));
}
