// The plain HTTP server for probes and metrics: /healthz, /readyz with the reasons, /metrics; everything else is 404.
// Serves no secret and changes nothing. Its clients are unknown, so their cost is bounded.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { explainListenError, type ListenAddress, listenOptions } from '../options/listen-address.ts';
import { ConnectionGate } from './connection-gate.ts';
import { PipeliningGuard } from './pipelining-guard.ts';

export interface HttpServerLimits {
  /** Maximum open connections. */
  readonly connections: number;
  /** For a request to arrive, for a response to be read, and between two requests. */
  readonly timeoutMs: number;
}

/** A kubelet and two Prometheus servers use three connections. */
const LIMITS: HttpServerLimits = { connections: 64, timeoutMs: 10_000 };

export interface HttpServerOptions {
  readonly address: ListenAddress;
  /** Why this process is not ready, one reason a line; empty if it is. */
  readonly isReady: () => readonly string[];
  readonly registry: Registry;
  readonly limits?: HttpServerLimits;
}

export interface HttpServer {
  /** The port it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly contentType?: string;
}

const INTERNAL_ERROR: Answer = { code: 500, text: 'internal error\n' };

/** Starts listening; rejects if the address is in use. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { limits = LIMITS } = options;
  const server = createLimitedServer(limits);
  const connections = new ConnectionGate({ connections: limits.connections, firstRequestMs: limits.timeoutMs });
  const requests = new PipeliningGuard();
  server.on('connection', socket => connections.admit(socket));
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    send(response, await answer(options, request.url ?? '').catch(() => INTERNAL_ERROR));
    connections.answered(request.socket);
  };
  server.on('request', (request, response) => {
    if (requests.admit(request, response)) void respond(request.resume(), response);
  });
  await listen(server, options.address);
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

function createLimitedServer({ timeoutMs }: HttpServerLimits): Server {
  const timeouts = { headersTimeout: timeoutMs, requestTimeout: timeoutMs, connectionsCheckingInterval: timeoutMs / 4 };
  return createServer(timeouts).setTimeout(timeoutMs);
}

async function answer({ isReady, registry }: HttpServerOptions, url: string): Promise<Answer> {
  switch (url.replace(/\?.*$/, '')) {
    case '/healthz':
      return { code: 200, text: 'ok\n' };
    case '/readyz':
      return readiness(isReady());
    case '/metrics':
      return { code: 200, text: await registry.metrics(), contentType: registry.contentType };
    default:
      return { code: 404, text: 'not found\n' };
  }
}

function readiness(reasons: readonly string[]): Answer {
  if (reasons.length === 0) return { code: 200, text: 'ok\n' };
  return { code: 503, text: reasons.map(reason => `${reason}\n`).join('') };
}

function send(response: ServerResponse, { code, text, contentType = 'text/plain; charset=utf-8' }: Answer): void {
  response.writeHead(code, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(explainListenError(error, '--http-address', address));
    server.once('error', fail);
    server.listen(listenOptions(address), () => {
      server.off('error', fail);
      resolve();
    });
  });
}

/** Responses are short: connections that remain after the idle ones are closed are cut. */
function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
