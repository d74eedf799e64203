// The timing of a reflector and its watches. Derived from one promise: a stale cache is detected within 20 seconds.

import { withQuery } from './list-objects.ts';

export interface ReflectorTiming {
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A watch that is silent for this long is dead (idle-watch-timeout.ts). */
  readonly idleMs: number;
  /** A watch that lived this long was healthy: only then is the backoff reset. */
  readonly healthyMs: number;
  /**
   * Without any event or bookmark for this long the version is suspect, for example because it is ahead of a
   * restored etcd.
   */
  readonly quietMs: number;
  /** How long after the API server turned out not to serve the resource it is asked again. */
  readonly absentMs: number;
}

/**
 * How long the server keeps a watch open, and by how much that varies: short, because its end proves that the server
 * is alive.
 */
const WATCH_SECONDS = { least: 8, spread: 5 };

export const TIMING: ReflectorTiming = {
  backoffMinMs: 200,
  backoffMaxMs: 10_000,
  idleMs: 15_000,
  healthyMs: 5_000,
  quietMs: 300_000,
  absentMs: 600_000,
};

/** An idle watch plus the time to open the next one: an older cache is not trusted. */
export const MAX_AGE_MS = 20_000;

/**
 * The path of a watch; `random` in [0, 1) spreads the reconnects of many clients. The watch cache serves a
 * resumed watch.
 */
export function watchPath(collection: string, resourceVersion: string, random: number): string {
  const timeoutSeconds = String(WATCH_SECONDS.least + Math.floor(random * WATCH_SECONDS.spread));
  return withQuery(collection, { watch: '1', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds });
}
