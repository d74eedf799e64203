// What can be asked of the Kubernetes API server: plain paths, JSON values in and out, every failure classified. It knows no types
// of the API and never retries by itself: who calls decides when to try again.

import type { WatchEvent } from '../reflector/watch-stream.ts';

/** Which object, and which version of it, a deletion is meant for. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** All methods reject with RetryableError or TerminalError (errors.ts). Paths begin with `/` and may carry a query. */
export interface KubeClient {
  /** Reads one object or one page of a list; undefined when there is none (404). `signal` gives up waiting. */
  get<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /** POST to a collection (or to a review resource); gives the object as the server answered it. */
  create<T>(path: string, body: unknown): Promise<T>;
  /** PUT: replaces the object; `conflict` when metadata.resourceVersion in the body is no longer the newest. */
  update<T>(path: string, body: unknown): Promise<T>;
  /**
   * PATCH with application/merge-patch+json (RFC 7386). `mayStart` is asked when the request is about to be written to its
   * connection; with false it is not sent, and rejects with RetryableError `unknown`.
   */
  mergePatch<T>(path: string, body: unknown, mayStart?: () => boolean): Promise<T>;
  /** DELETE: `conflict` when the object is no longer the one that `preconditions` name (meta/v1 Preconditions). */
  remove(path: string, preconditions: Preconditions): Promise<void>;
  /**
   * Opens a watch (the path carries `watch=1` and the rest of the query) and yields its events as they come. Ends when the
   * server ends it or the signal is aborted; throws a classified error for everything else, an ERROR event included
   * (`gone` for 410: list again). `onOpen` is called when the server has taken the watch, before there is any event.
   */
  watch(path: string, signal: AbortSignal, onOpen?: () => void): AsyncIterable<WatchEvent>;
  /** Closes all connections; requests in flight are finished, watches are cut. */
  close(): Promise<void>;
}
