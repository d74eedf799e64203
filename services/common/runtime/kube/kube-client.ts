// The requests to the Kubernetes API server: plain paths, JSON values in and out, every failure classified. Knows no
// API types and never retries: the caller decides when to retry.

import type { WatchEvent } from '../reflector/watch-stream.ts';

/** All methods reject with RetryableError or TerminalError (errors.ts). Paths begin with `/` and may have a query. */
export interface KubeClient {
  /** Reads one object or one page of a list; undefined if it does not exist (404). `signal` cancels. */
  get<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /** POST to a collection (or to a review resource); returns the object in the response. */
  create<T>(path: string, body: unknown): Promise<T>;
  /** PUT: replaces the object; `conflict` if metadata.resourceVersion in the body is not the latest. */
  update<T>(path: string, body: unknown): Promise<T>;
  /**
   * PATCH with application/merge-patch+json (RFC 7386). `mayStart` is called when the request is about to be written to
   * its connection; false cancels it, and it rejects with RetryableError `unknown`.
   */
  mergePatch<T>(path: string, body: unknown, mayStart?: () => boolean): Promise<T>;
  /**
   * Opens a watch (the path has `watch=1` and the rest of the query) and yields its events. Ends when the server ends
   * it or the signal is aborted; throws a classified error for everything else, an ERROR event included (`gone` for
   * 410: list again). `onOpen` is called when the server has accepted the watch, before any event.
   */
  watch(path: string, signal: AbortSignal, onOpen?: () => void): AsyncIterable<WatchEvent>;
  /** Closes all connections; requests in flight finish, watches are cut. */
  close(): Promise<void>;
}
