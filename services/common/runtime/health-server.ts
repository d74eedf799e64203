// The plain HTTP server for probes and scrapes: /healthz, /readyz with the reasons why not, /metrics. Serves no secret and
// takes no orders; everything else is 404.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { type ListenAddress, listenOptions } from './listen-address.ts';

export interface HttpServerOptions {
  readonly address: ListenAddress;
  /** The reasons why this process is not ready, one a line; empty when it is. */
  readonly isReady: () => readonly string[];
  readonly registry: Registry;
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

/** Starts listening; rejects when the address is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(options, request.url ?? '').then(
      result => send(response, result),
      () => send(response, { code: 500, text: 'internal error\n' }),
    );
    request.resume();
  });
  await listen(server, options.address);
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
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
    server.once('error', reject);
    server.listen(listenOptions(address), () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Answers are short: what is still open after the idle connections are gone is cut. */
function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
