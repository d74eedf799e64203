// The requests of a KubeClient over one connection: path and body in, JSON values or a classified error out. Knows
// neither the server nor the credentials.

import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { TerminalError } from '../errors.ts';
import { JSON_LINES, readWatchEvents, type WatchEvent } from '../reflector/watch-stream.ts';
import type { Answer } from './exchange.ts';
import type { KubeClient } from './kube-client.ts';
import type { ApiConnection, ApiRequest } from './kube-connection.ts';
import { errorFromInvalidResponse, errorFromResponse, errorFromTransport } from './kube-errors.ts';
import { decodeObject, PROTOBUF, type ProtobufResource, watchFrames } from './kube-protobuf.ts';

const MERGE_PATCH = 'application/merge-patch+json';

/** A client over `connection`; one request may take `timeoutMs`, from connecting to the last byte of the response. */
export function createApiClient(
  connection: ApiConnection,
  timeoutMs: number,
  protobuf: readonly ProtobufResource[] = [],
): KubeClient {
  const context = { connection, timeoutMs, protobuf };
  const call = <T>(request: ApiRequest) => callApi<T>(context, request);
  return {
    get: (path, signal) => unlessMissing(call({ method: 'GET', path, ...(signal ? { signal } : {}) })),
    create: (path, body) => call({ method: 'POST', path, body }),
    update: (path, body) => call({ method: 'PUT', path, body }),
    mergePatch: (path, body, mayStart) =>
      call({ method: 'PATCH', path, body, contentType: MERGE_PATCH, ...(mayStart && { mayStart }) }),
    remove: async (path, preconditions) => {
      await call({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions } });
    },
    watch: (path, signal, onOpen) => watchApi(context, path, { signal, ...(onOpen && { onOpen }) }),
    close: () => connection.close(),
  };
}

interface Context {
  readonly connection: ApiConnection;
  readonly timeoutMs: number;
  readonly protobuf: readonly ProtobufResource[];
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function callApi<T>({ connection, timeoutMs, protobuf }: Context, given: ApiRequest): Promise<T> {
  const { request, kinds } = negotiate(given, protobuf);
  const answer = await connection.exchange(request, timeoutMs);
  if (!isSuccess(answer)) throw errorOf(request, answer);
  try {
    return decode(answer, kinds) as T;
  } catch (cause) {
    throw errorFromInvalidResponse(request, 'cannot decode the response', cause);
  }
}

interface Negotiated {
  readonly request: ApiRequest;
  /** How to decode the objects that may come in protobuf. */
  readonly kinds: ProtobufResource['kinds'];
}

/** Both formats are offered; the response says which one it has. */
function negotiate(request: ApiRequest, resources: readonly ProtobufResource[]): Negotiated {
  const resource = resources.find(({ paths }) => paths.test(request.path));
  if (resource === undefined) return { request, kinds: {} };
  return { request: { ...request, accept: `${PROTOBUF}, application/json` }, kinds: resource.kinds };
}

function decode({ headers, body }: Answer, kinds: ProtobufResource['kinds']): unknown {
  return isProtobuf(headers) ? decodeObject(body, kinds) : JSON.parse(body.toString());
}

function isProtobuf(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith(PROTOBUF) ?? false;
}

function isSuccess({ statusCode }: { readonly statusCode: number }): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function errorOf(request: ApiRequest, answer: Answer): Error {
  const { statusCode, headers } = answer;
  return errorFromResponse(request, statusCode, textOf(answer), [headers['retry-after']].flat()[0]);
}

/** An error in protobuf is a Status, which can be written as JSON. */
function textOf({ headers, body }: Answer): string {
  if (!isProtobuf(headers)) return body.toString();
  try {
    return JSON.stringify(decodeObject(body, {}));
  } catch {
    return '';
  }
}

async function* watchApi(
  { connection, protobuf }: Context,
  path: string,
  { signal, onOpen }: { readonly signal: AbortSignal; readonly onOpen?: () => void },
): AsyncGenerator<WatchEvent> {
  const { request, kinds } = negotiate({ method: 'GET', path, signal }, protobuf);
  try {
    const { statusCode, headers, body } = await connection.open(request);
    if (!isSuccess({ statusCode })) {
      throw errorOf(request, { statusCode, headers, body: await readBody(request, body) });
    }
    onOpen?.();
    yield* readWatchEvents(request, body, isProtobuf(headers) ? watchFrames(kinds) : JSON_LINES);
    // By then the connection is back in its pool, where the next watch, which may follow at once, finds it.
    await setImmediate();
  } catch (error) {
    // A requested end is not a failure, whatever error the connection gives.
    if (!signal.aborted) throw error;
  }
}

async function readBody(request: ApiRequest, body: { bytes(): Promise<Uint8Array> }): Promise<Buffer> {
  try {
    return Buffer.from(await body.bytes());
  } catch (cause) {
    throw errorFromTransport(request, cause);
  }
}
