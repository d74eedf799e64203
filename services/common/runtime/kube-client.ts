// The one adapter to the Kubernetes API server: plain paths, JSON in and out, every failure classified. It knows no types
// of the API and never retries by itself: who calls decides when to try again.

import type { Dispatcher } from 'undici';
import { TerminalError } from './errors.ts';
import { ApiConnection, type ApiRequest, type RequestObserver } from './kube-connection.ts';
import { CredentialSource } from './kube-credentials.ts';
import { errorFromGarbage, errorFromResponse, errorFromTransport } from './kube-errors.ts';
import { readWatchEvents } from './watch-stream.ts';

/** One line of a watch; `object` is the plain JSON of the API. ERROR is thrown by `watch`, never yielded. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** All methods reject with RetryableError or TerminalError (errors.ts). Paths begin with `/` and may carry a query. */
export interface KubeClient {
  /** Reads one object or one page of a list; undefined when there is none (404). `signal` gives up waiting. */
  get<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /** POST to a collection (or to a review resource); gives the object as the server answered it. */
  create<T>(path: string, body: unknown): Promise<T>;
  /** PUT: replaces the object; `conflict` when metadata.resourceVersion in the body is no longer the newest. */
  update<T>(path: string, body: unknown): Promise<T>;
  /** PATCH with application/merge-patch+json (RFC 7386). */
  mergePatch<T>(path: string, body: unknown): Promise<T>;
  /** DELETE; an object that is already gone is fine. */
  remove(path: string): Promise<void>;
  /**
   * Opens a watch (the path carries `watch=1` and the rest of the query) and yields its events as they come. Ends when the
   * server ends it or the signal is aborted; throws a classified error for everything else, an ERROR event included
   * (`gone` for 410: list again).
   */
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** Closes all connections; requests in flight are finished, watches are cut. */
  close(): Promise<void>;
}

export interface KubeClientOptions {
  /** Path of a kubeconfig; left out: KUBECONFIG, ~/.kube/config, or the pod's service account, in this order. */
  readonly kubeconfig?: string;
  /** Called once for each request that was sent (metrics.ts makes one). */
  readonly metrics?: RequestObserver;
  /** How long one request may take, from the connect to the last byte of the answer; a watch: to its first byte. */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
}

/** For background work; a webhook must answer in less than its own timeoutSeconds and sets a shorter one. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Makes a client; opens no connection yet. Throws an Error with advice when the kubeconfig cannot be used. */
export function createKubeClient(options: KubeClientOptions = {}): KubeClient {
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const connection = new ApiConnection({
    credentials: new CredentialSource(options.kubeconfig, Date.now),
    timeoutMs,
    userAgent: options.userAgent ?? 'countersign',
    ...(options.metrics ? { observe: options.metrics } : {}),
  });
  const call = <T>(request: ApiRequest) => callApi<T>(connection, request, timeoutMs);
  return {
    get: (path, signal) => unlessMissing(call({ method: 'GET', path, ...(signal ? { signal } : {}) })),
    create: (path, body) => call({ method: 'POST', path, body }),
    update: (path, body) => call({ method: 'PUT', path, body }),
    mergePatch: (path, body) => call({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }),
    remove: async path => void (await unlessMissing(call({ method: 'DELETE', path }))),
    watch: (path, signal) => watchApi(connection, path, signal),
    close: () => connection.close(),
  };
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function callApi<T>(connection: ApiConnection, request: ApiRequest, timeoutMs: number): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
  const response = await connection.send({ ...request, signal });
  const text = await readBody(request, response);
  if (!isSuccess(response)) throw errorOf(request, response, text);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw errorFromGarbage(request, 'the answer is not JSON', cause);
  }
}

function isSuccess(response: Dispatcher.ResponseData): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}

function errorOf(request: ApiRequest, response: Dispatcher.ResponseData, text: string): Error {
  return errorFromResponse(request, response.statusCode, text, [response.headers['retry-after']].flat()[0]);
}

async function readBody(request: ApiRequest, response: Dispatcher.ResponseData): Promise<string> {
  try {
    return await response.body.text();
  } catch (cause) {
    throw errorFromTransport(request, cause);
  }
}

async function* watchApi(connection: ApiConnection, path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const request: ApiRequest = { method: 'GET', path, signal, isWatch: true };
  try {
    const response = await connection.send(request);
    if (!isSuccess(response)) throw errorOf(request, response, await readBody(request, response));
    yield* readWatchEvents(request, response.body);
  } catch (error) {
    // An end that was asked for is no failure, however the connection words it.
    if (!signal.aborted) throw error;
  }
}
