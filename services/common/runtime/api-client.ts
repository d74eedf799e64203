// The requests of a KubeClient over one connection: path and body in, JSON or a classified error out. Knows neither where
// the server is nor whose credentials are used.

import { TerminalError } from './errors.ts';
import type { Answer } from './exchange.ts';
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
  const answer = await connection.exchange(request, timeoutMs);
  if (!isSuccess(answer)) throw errorOf(request, answer);
  try {
    return JSON.parse(answer.text) as T;
  } catch (cause) {
    throw errorFromGarbage(request, 'the answer is not JSON', cause);
  }
}

function isSuccess({ statusCode }: { readonly statusCode: number }): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function errorOf(request: ApiRequest, { statusCode, headers, text }: Answer): Error {
  return errorFromResponse(request, statusCode, text, [headers['retry-after']].flat()[0]);
}

async function* watchApi(connection: ApiConnection, path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const request: ApiRequest = { method: 'GET', path, signal };
  try {
    const { statusCode, headers, body } = await connection.open(request);
    if (!isSuccess({ statusCode }))
      throw errorOf(request, { statusCode, headers, text: await readBody(request, body) });
    yield* readWatchEvents(request, body);
  } catch (error) {
    // An end that was asked for is no failure, however the connection words it.
    if (!signal.aborted) throw error;
  }
}

async function readBody(request: ApiRequest, body: { text(): Promise<string> }): Promise<string> {
  try {
    return await body.text();
  } catch (cause) {
    throw errorFromTransport(request, cause);
  }
}
