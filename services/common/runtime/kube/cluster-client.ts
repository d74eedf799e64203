// Creates the client of a process from the address of the API server, the credentials and the connection.

import { CredentialSource } from '../credentials/kube-credentials.ts';
import { createApiClient } from './api-client.ts';
import type { KubeClient } from './kube-client.ts';
import { ApiConnection, type RequestObserver } from './kube-connection.ts';
import type { ProtobufResource } from './kube-protobuf.ts';

/** A client that knows its namespace. */
export interface ClusterClient extends KubeClient {
  /** The pod's namespace, or that of the kubeconfig's context; `default` when none is set, as with kubectl. */
  readonly namespace: string;
  /** A client with another request timeout over the same connections, which close with the first client. */
  withTimeout(timeoutMs: number): KubeClient;
}

export interface ClusterClientOptions {
  /** Path of a kubeconfig, or several separated by `:`; defaults to ~/.kube/config, or the pod's ServiceAccount. */
  readonly kubeconfig?: string;
  /** Called once for each request sent (metrics.ts creates one). */
  readonly observe?: RequestObserver;
  /**
   * How long one request may take, from connecting to the last byte of the response; for a watch, to its first byte.
   */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
  /** The resources that are requested in protobuf, and how to decode them; JSON for all others. */
  readonly protobuf?: readonly ProtobufResource[];
}

/** For background work; a webhook must answer in less than its own timeoutSeconds and sets a shorter one. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Creates a client without opening a connection. Throws an Error with advice if the kubeconfig cannot be used. */
export function createClusterClient(options: ClusterClientOptions = {}): ClusterClient {
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const credentials = new CredentialSource(options.kubeconfig, Date.now);
  const connection = new ApiConnection({
    credentials,
    timeoutMs,
    userAgent: options.userAgent ?? 'countersign',
    ...(options.observe ? { observe: options.observe } : {}),
  });
  const create = (limitMs: number) => createApiClient(connection, limitMs, options.protobuf);
  return { ...create(timeoutMs), namespace: credentials.namespace, withTimeout: create };
}
