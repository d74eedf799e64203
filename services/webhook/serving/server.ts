// The HTTPS server of the webhook: TLS, which connections stay open, and how it ends. What is answered is up to the app that it
// serves.

import { constants } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ListenAddress, listenOptions } from '@countersign/common/runtime/options/listen-address.ts';
import { ConnectionGate, type ConnectionLimits } from '@countersign/common/runtime/process/connection-gate.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { OneAtATime } from '@countersign/common/runtime/process/one-at-a-time.ts';
import { type FastifyInstance, fastify } from 'fastify';
import type { AdmissionHandler } from '../handler.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { acceptInTurns, timeLimits } from './accept.ts';
import { instanceOptions, webhookApp } from './app.ts';
import type { KeyPair } from './serving-certificate.ts';

/** Longer than the API server keeps an idle connection (90 s), so that it is never cut just when it is used. */
const KEEP_ALIVE_MS = 120_000;

/**
 * A connection is some 60 kB in TLS buffers (measured). An API server opens one for each admission in flight, and has some 300 seats
 * for those who create CSRs (priority level workload-low). Ten seconds are more than the 5 s in which it gives up. It may leave a new
 * connection unused; Go's net/http sends a request again that meets the end of such a one.
 */
const CONNECTION_LIMITS: ConnectionLimits = { connections: 512, firstRequestMs: 10_000 };

/**
 * For a handshake, for the headers of a request, for a body from their end on, and for an answer to be taken: the API server gives up
 * after 5 s itself.
 */
const TRANSFER_TIMEOUT_MS = 10_000;

/**
 * Connections that the kernel keeps until they are accepted (at most net.core.somaxconn, 4096 by default). A caller that finds no
 * room tries again after a second.
 */
const BACKLOG = 4_096;

/** Longer than any admission takes. */
const GRACE_MS = 5_000;

export interface ServerOptions {
  readonly handle: AdmissionHandler;
  readonly log: Logger;
  readonly metrics: WebhookMetrics;
  /** How long `close` waits for answers before it cuts what is still open. */
  readonly graceMs?: number;
  readonly transferTimeoutMs?: number;
  readonly connectionLimits?: ConnectionLimits;
  /** Whether callers need a certificate from the CA of the key pair. */
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
    acceptInTurns(this.#app.server, { connections: this.#connections, log, metrics, timeoutMs });
  }

  get problems(): string[] {
    return this.#isListening ? [] : ['HTTPS server: not listening'];
  }

  /** After the first key pair. Gives the port; rejects when the address is taken. */
  async listen(address: ListenAddress): Promise<number> {
    await this.#app.listen({ ...listenOptions(address), backlog: BACKLOG });
    this.#isListening = true;
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** For new connections; those that are open go on with the certificate that they know. */
  readonly useKeyPair = ({ cert, key, ca }: KeyPair): void =>
    // A caller pays for each handshake with a connection.
    this.#app.server.setSecureContext({ cert, key, ca, secureOptions: constants.SSL_OP_NO_RENEGOTIATION });

  /** From now on every answer ends its connection: one that is cut while it is idle may have a request on the way already. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes no new connections, waits for the answers that are due, and closes each connection as soon as it is idle. */
  async close(): Promise<void> {
    this.#isListening = false;
    const { server } = this.#app;
    // A connection that falls idle while the server closes would be kept for as long as any other. Only after what has arrived was
    // read, which setImmediate waits for: a connection with a request in its buffer looks idle.
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
    // The API server speaks HTTP/1.1 to webhooks, whatever is offered (kubernetes#75791).
    https: { ...timeLimits(transferTimeoutMs), requestCert: options.needsClientCertificate ?? false },
    ...instanceOptions(log),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 2 * transferTimeoutMs,
    forceCloseConnections: 'idle',
    // A 503 while draining would refuse a CSR (failurePolicy Fail); what still comes in is answered.
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
  const requests = new OneAtATime();
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (!requests.admit(raw, reply.raw)) reply.hijack();
  });
}

/** An answer that nobody takes would be held for as long as its connection: idle connections, which hold nothing, may stay. */
function limitSending(response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  finished(response, () => clearTimeout(timer));
}
