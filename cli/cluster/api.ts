// The requests of the command to the API server: each is sent once, and a refusal keeps what the API server said. Knows
// no kind of object.

import type { CredentialReader, Credentials } from '@countersign/common/runtime/credentials/kube-credentials.ts';
import { CredentialSource } from '@countersign/common/runtime/credentials/kube-credentials.ts';
import { createApiClient } from '@countersign/common/runtime/kube/api-client.ts';
import { ApiConnection, type ApiRequest } from '@countersign/common/runtime/kube/kube-connection.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import { ApiError, toApiError } from './api-error.ts';
import { readWarnings } from './warnings.ts';

const TIMEOUT_MS = 15_000;

/** Which API server, and as whom. */
export interface ClusterChoice {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
  /** The user and the groups to impersonate. */
  readonly as: string | undefined;
  readonly asGroups: readonly string[];
}

export interface Answer<T> {
  readonly body: T;
  /** The text of each Warning header. */
  readonly warnings: readonly string[];
}

/** All methods reject with ApiError for a refusal, and with RetryableError without a response. */
export interface Api {
  /** `-n`, or the namespace of the context. */
  readonly namespace: string;
  /** Undefined if the object does not exist. */
  get<T>(path: string): Promise<T | undefined>;
  send<T>(request: ApiRequest): Promise<Answer<T>>;
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
}

/** Opens no connection. Throws if the kubeconfig cannot be used. */
export function connect(choice: ClusterChoice): Api {
  const source = new CredentialSource(choice.kubeconfig, Date.now, undefined, choice.context);
  const credentials = impersonating(source, choice);
  const connection = new ApiConnection({ credentials, timeoutMs: TIMEOUT_MS, userAgent: 'kubectl-countersign' });
  const send = <T>(request: ApiRequest) => sendOne<T>(connection, request);
  return {
    namespace: choice.namespace ?? source.namespace,
    send,
    get: async <T>(path: string) => {
      try {
        return (await send<T>({ method: 'GET', path })).body;
      } catch (error) {
        if (error instanceof ApiError && error.isMissing) return undefined;
        throw error;
      }
    },
    watch: (path, signal) => createApiClient(connection, TIMEOUT_MS).watch(path, signal),
    close: () => connection.close(),
  };
}

/** The flags replace what the kubeconfig says about impersonation. */
function impersonating(source: CredentialReader, { as, asGroups }: ClusterChoice): CredentialReader {
  if (as === undefined) return source;
  const read = async (): Promise<Credentials> => {
    const found = await source.read();
    const own = Object.entries(found.headers).filter(([name]) => !name.startsWith('impersonate-'));
    const groups = asGroups.length > 0 ? { 'impersonate-group': [...asGroups] } : {};
    return { ...found, headers: { ...Object.fromEntries(own), 'impersonate-user': as, ...groups } };
  };
  return { read, markRejected: () => source.markRejected() };
}

async function sendOne<T>(connection: ApiConnection, request: ApiRequest): Promise<Answer<T>> {
  const { statusCode, headers, body } = await connection.exchange(request, TIMEOUT_MS);
  if (statusCode >= 300) throw toApiError(request, statusCode, body.toString());
  return { body: parse<T>(request, body.toString()), warnings: readWarnings(headers['warning']) };
}

function parse<T>(request: ApiRequest, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw toApiError(request, 502, `not JSON: ${text}`);
  }
}
