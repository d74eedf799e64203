// The one adapter to the Kubernetes API server: plain paths, JSON values in and out, every failure classified. It knows no types
// of the API and never retries by itself: who calls decides when to try again.

import { createApiClient } from './api-client.ts';
import { ApiConnection, type RequestObserver } from './kube-connection.ts';
import { CredentialSource } from './kube-credentials.ts';
import type { ProtobufResource } from './kube-protobuf.ts';
import type { WatchEvent } from './watch-stream.ts';

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

/** A client that knows its own place in the cluster. */
export interface ClusterClient extends KubeClient {
  /** The pod's namespace, or that of the kubeconfig's context; `default` when none is set, as with kubectl. */
  readonly namespace: string;
}

export interface KubeClientOptions {
  /** Path of a kubeconfig; left out: KUBECONFIG, ~/.kube/config, or the pod's service account, in this order. */
  readonly kubeconfig?: string;
  /** Called once for each request that was sent (metrics.ts makes one). */
  readonly observe?: RequestObserver;
  /** How long one request may take, from the connect to the last byte of the answer; a watch: to its first byte. */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
  /** A resource to be asked for in protobuf, and how to read it; JSON for all others. */
  readonly protobuf?: ProtobufResource;
}

/** For background work; a webhook must answer in less than its own timeoutSeconds and sets a shorter one. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Makes a client; opens no connection yet. Throws an Error with advice when the kubeconfig cannot be used. */
export function createKubeClient(options: KubeClientOptions = {}): ClusterClient {
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const credentials = new CredentialSource(options.kubeconfig, Date.now);
  const connection = new ApiConnection({
    credentials,
    timeoutMs,
    userAgent: options.userAgent ?? 'countersign',
    ...(options.observe ? { observe: options.observe } : {}),
  });
  return { ...createApiClient(connection, timeoutMs, options.protobuf), namespace: credentials.namespace };
}
