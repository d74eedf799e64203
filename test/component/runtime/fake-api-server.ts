// A fake API server on 127.0.0.1 that can fail in ways the real one cannot be made to: cut connections, send garbage,
// hang, throttle. Real sockets, optional TLS; knows nothing of Kubernetes except its own kubeconfig.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { createApiClient } from '@countersign/common/runtime/kube/api-client.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { ApiConnection, type RequestObserver } from '@countersign/common/runtime/kube/kube-connection.ts';
import type { ProtobufResource } from '@countersign/common/runtime/kube/kube-protobuf.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface FakeApiServer {
  readonly url: string;
  /** Directory for files of the test; removed by close. */
  readonly directory: string;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** `METHOD /path?query` of each request so far. */
  readonly requests: string[];
  handle(handler: Handler): void;
  /** Writes a kubeconfig for this server and returns its path. */
  kubeconfig(user?: Record<string, unknown>, cluster?: Record<string, unknown>): string;
  /** A client of this server (plain HTTP), without a kubeconfig: client-node takes most of a second to load. */
  client(timeoutMs: number, observe?: RequestObserver, protobuf?: ProtobufResource): KubeClient;
  close(): Promise<void>;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for 127.0.0.1, as PEM. */
export function createKeyPair(directory: string, name: string): KeyPair {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

export interface FakeApiServerOptions {
  /** Serve HTTPS with its own certificate. */
  readonly tls?: boolean;
}

export async function startFakeApiServer({ tls = false }: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-'));
  const keyPair = tls ? createKeyPair(directory, 'server') : undefined;
  const server = keyPair
    ? createHttpsServer({ ...keyPair, requestCert: true, rejectUnauthorized: false })
    : createHttpServer();
  const requests: string[] = [];
  const sockets = countConnections(server);
  let handler: Handler = answerEmpty;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    // A request that was cut off has no one to respond to.
    text(request)
      .then(body => handler(request, response, body))
      .catch(() => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    directory,
    connections: sockets,
    requests,
    handle: next => {
      handler = next;
    },
    kubeconfig: (user = { token: 'secret-token' }, cluster = {}) => {
      const trust = keyPair
        ? { 'certificate-authority-data': btoa(keyPair.cert) }
        : { 'insecure-skip-tls-verify': true };
      return writeKubeconfig(join(directory, 'kubeconfig'), user, { server: url, ...trust, ...cluster });
    },
    client: (timeoutMs, observe, protobuf) => createPlainClient(url, { timeoutMs, observe, protobuf }),
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

/** For `await using`. */
export function disposable(given: KubeClient): KubeClient & AsyncDisposable {
  return { ...given, [Symbol.asyncDispose]: () => given.close() };
}

interface PlainClientOptions {
  readonly timeoutMs: number;
  readonly observe: RequestObserver | undefined;
  readonly protobuf: ProtobufResource | undefined;
}

function createPlainClient(url: string, { timeoutMs, observe, protobuf }: PlainClientOptions): KubeClient {
  const headers = { authorization: 'Bearer secret-token' };
  const credentials = {
    read: async () => ({ server: new URL(url), headers, tls: {}, fingerprint: '' }),
    markRejected: () => undefined,
  };
  const connection = new ApiConnection({ credentials, timeoutMs, userAgent: 'test', ...(observe ? { observe } : {}) });
  return createApiClient(connection, timeoutMs, protobuf && [protobuf]);
}

function answerEmpty(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 200, {});
}

function countConnections(server: Server): () => number {
  const seen = new Set<Socket>();
  server.on('connection', (socket: Socket) => seen.add(socket));
  return () => seen.size;
}

/** JSON is YAML. */
export function writeKubeconfig(path: string, user: Record<string, unknown>, cluster: Record<string, unknown>): string {
  const kubeconfig = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'sandbox' } }],
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
  };
  writeFileSync(path, JSON.stringify(kubeconfig));
  return path;
}

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** The Status object of a failed request. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  headers?: Record<string, string>,
): void {
  sendJson(
    response,
    code,
    { kind: 'Status', status: 'Failure', message: `told to answer ${code}`, reason, code },
    headers,
  );
}

/** The error of a request; it must be one of the two classes. */
export async function failureOf(promise: Promise<unknown>): Promise<RetryableError | TerminalError> {
  const error = await promise.then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RetryableError || error instanceof TerminalError, String(error));
  return error;
}

export type WatchWriter = (response: ServerResponse) => void | Promise<void>;

/** Starts a watch response with this media type; `write` continues it. */
export function watchHandler(contentType: string, write: WatchWriter): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.flushHeaders();
    void write(response);
  };
}

/** Reads a watch to its end: the events and the error. */
export async function readEvents(
  client: KubeClient,
  path: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ events: WatchEvent[]; error: unknown }> {
  const events: WatchEvent[] = [];
  try {
    for await (const event of client.watch(path, signal)) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}
