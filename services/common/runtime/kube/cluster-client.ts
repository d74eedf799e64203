// Makes the one client of a process: where the API server is, whose credentials are used, and the connection to it, put
// together.

import { CredentialSource } from '../credentials/kube-credentials.ts';
import { createApiClient } from './api-client.ts';
import type { KubeClient } from './kube-client.ts';
import { ApiConnection, type RequestObserver } from './kube-connection.ts';
import type { ProtobufResource } from './kube-protobuf.ts';

/** A client that knows its own place in the cluster. */
export interface ClusterClient extends KubeClient {
  /** The pod's namespace, or that of the kubeconfig's context; `default` when none is set, as with kubectl. */
  readonly namespace: string;
  /** Gives up each of its requests after this time; over the same connections, which are closed with the first client. */
  withTimeout(timeoutMs: number): KubeClient;
}

export interface ClusterClientOptions {
  /** Path of a kubeconfig, or several separated by `:`; left out: ~/.kube/config, or the pod's ServiceAccount. */
  readonly kubeconfig?: string;
  /** Called once for each request that was sent (metrics.ts makes one). */
  readonly observe?: RequestObserver;
  /** How long one request may take, from the connect to the last byte of the answer; a watch: to its first byte. */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
  /** The resources to be asked for in protobuf, and how to read them; JSON for all others. */
  readonly protobuf?: readonly ProtobufResource[];
}

/** For background work; a webhook must answer in less than its own timeoutSeconds and sets a shorter one. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Makes a client; opens no connection yet. Throws an Error with advice when the kubeconfig cannot be used. */
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
