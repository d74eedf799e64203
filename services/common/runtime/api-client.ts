// The requests of a KubeClient over one connection: path and body in, JSON or a classified error out. Knows neither where
// the server is nor whose credentials are used.

import type { Dispatcher } from 'undici';
import { TerminalError } from './errors.ts';
import type { KubeClient, WatchEvent } from './kube-client.ts';
import type { ApiConnection, ApiRequest } from './kube-connection.ts';
import { errorFromGarbage, errorFromResponse, errorFromTransport } from './kube-errors.ts';
import { readWatchEvents } from './watch-stream.ts';

/** A client over `connection`; one request may take `timeoutMs`, from the connect to the last byte of the answer. */
export function createApiClient(connection: ApiConnection, timeoutMs: number): KubeClient {
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
