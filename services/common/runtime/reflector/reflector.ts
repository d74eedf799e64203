// Caches one collection of the API: list, then watch, forever. Survives every error of the server, the network and its
// own handlers; ends only by its signal, and decides nothing about the objects.

import type { ObjectMeta } from '../../csr.ts';
import { Backoff, pause } from '../backoff.ts';
import { asClassifiedError, RetryableError, TerminalError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import { watchUntilIdle } from './idle-watch-timeout.ts';
import { listObjects } from './list-objects.ts';
import { type ChangeHandler, isRawObject, ObjectStore } from './object-store.ts';
import { MAX_AGE_MS, type ReflectorTiming, TIMING, watchPath } from './reflector-timing.ts';
import type { WatchEvent } from './watch-stream.ts';

/** What a reflector counts (reflector-metrics.ts). */
export interface ReflectorMetrics {
  /** A whole list was read. */
  onList(name: string): void;
  /** A watch ended; `reason` is an error code, or `closed` when the server ended it. */
  onWatchEnd(name: string, reason: string): void;
  setSize(name: string, size: number): void;
}

/** After this many consecutive failures the version to resume from is suspect too. */
const MAX_RESUMES = 3;

export interface ReflectorOptions<T> {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  /** Path of the collection; may carry a query (fieldSelector, labelSelector). */
  readonly path: string;
  /** Name of the reflector in logs and metrics, from a closed set. */
  readonly name: string;
  readonly log: Logger;
  readonly onChange: ChangeHandler<T>;
  /** Reduces an object to what is needed. If it throws, the object is left out. */
  readonly transform?: (raw: unknown) => T;
  readonly metrics?: ReflectorMetrics;
  /**
   * For a resource that older API servers do not serve: called before each list. With false, the cache is empty and
   * ready until the next call. Without the permission to list it, as with an image that is newer than the chart, it is
   * ready as well.
   */
  readonly isServed?: (signal: AbortSignal) => Promise<boolean>;
  /** For tests: milliseconds of a clock, and a number in [0, 1). */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly timing?: Partial<ReflectorTiming>;
}

export class Reflector<T extends { readonly metadata: ObjectMeta }> {
  readonly name: string;
  readonly #options: ReflectorOptions<T>;
  readonly #log: Logger;
  readonly #timing: ReflectorTiming;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #store: ObjectStore<T>;
  #resourceVersion: string | undefined;
  #hasSynced = false;
  #isAbsent = false;
  #isBarred = false;
  #lastContact: number | undefined;
  #lastEvent = 0;
  /** Ends the current pause or watch, when a list is due at once. */
  #current = new AbortController();

  constructor(options: ReflectorOptions<T>) {
    this.name = options.name;
    this.#options = options;
    this.#log = options.log.child({ reflector: options.name });
    this.#timing = { ...TIMING, ...options.timing };
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    const { backoffMinMs: minMs, backoffMaxMs: maxMs } = this.#timing;
    this.#backoff = new Backoff({ minMs, maxMs, random: this.#random });
    const transform = options.transform ?? (raw => raw as T);
    this.#store = new ObjectStore({ transform, onChange: options.onChange, log: this.#log });
  }

  /** Whether the whole collection was listed at least once. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Whether the API server does not serve the resource. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  /** Whether this process may not list a resource that is optional. */
  get isBarred(): boolean {
    return this.#isBarred;
  }

  get size(): number {
    return this.#store.size;
  }

  /** Whether the API server sent anything in the last `maxAgeMs`; `nowMs` by the reflector's clock (Date.now). */
  isFresh(nowMs: number, maxAgeMs: number = MAX_AGE_MS): boolean {
    return this.#lastContact !== undefined && nowMs - this.#lastContact <= maxAgeMs;
  }

  /** `key` is `namespace/name`, or `name` for cluster-scoped objects. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(): Iterable<T> {
    return this.#store.values();
  }

  /** Lists and watches until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#current = new AbortController();
      const current = AbortSignal.any([signal, this.#current.signal]);
      const delayMs = await this.#runOnce(current);
      if (delayMs > 0) await pause(delayMs, current);
      if (this.#current.signal.aborted) this.#resourceVersion = undefined;
    }
  }

  /** Lists at once, ending the current pause or watch. */
  relist(): void {
    this.#current.abort();
  }

  /** One list, if due, and one watch; returns how long to wait before the next. */
  async #runOnce(signal: AbortSignal): Promise<number> {
    try {
      if (this.#resourceVersion === undefined && !(await this.#isServed(signal))) return this.#becomeAbsent();
      this.#resourceVersion ??= await this.#list(signal);
      return await this.#watch(this.#resourceVersion, signal);
    } catch (error) {
      return signal.aborted ? 0 : this.#recover(error);
    }
  }

  /**
   * Stores each object as it comes. The first list may be slightly stale, as in client-go: the watch brings the rest.
   * Once anything was read, even one page, a list must not be older than that.
   */
  async #list(signal: AbortSignal): Promise<string> {
    const { client, path, metrics } = this.#options;
    const listed = new Set<string>();
    const onBegin = () => {
      this.#touch();
      listed.clear();
    };
    const onObject = (raw: unknown) => {
      this.#touch();
      if (isRawObject(raw)) listed.add(this.#store.set(raw));
    };
    const mayBeOld = this.#lastContact === undefined;
    const resourceVersion = await listObjects({ client, path, signal, mayBeOld, onBegin, onObject });
    this.#store.keepOnly(listed);
    this.#hasSynced = true;
    this.#isAbsent = false;
    this.#isBarred = false;
    this.#lastEvent = this.#now();
    metrics?.onList(this.name);
    metrics?.setSize(this.name, this.size);
    return resourceVersion;
  }

  /**
   * Follows one watch until it ends; returns how long to wait, so that a server that ends watches early does not cause
   * a busy loop.
   */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const started = this.#now();
    const path = watchPath(this.#options.path, resourceVersion, this.#random());
    const isHealthy = () => this.#now() - started >= this.#timing.healthyMs;
    let reason = 'closed';
    try {
      const onOpen = () => this.#touch();
      const watch = { client: this.#options.client, path, signal, idleMs: this.#timing.idleMs, onOpen };
      for await (const event of watchUntilIdle(watch)) this.#apply(event);
    } catch (error) {
      reason = asClassifiedError(error).code;
      throw error;
    } finally {
      if (isHealthy()) this.#backoff.reset();
      if (!signal.aborted) this.#options.metrics?.onWatchEnd(this.name, reason);
    }
    if (signal.aborted) return 0;
    this.#touch();
    if (this.#now() - this.#lastEvent >= this.#timing.quietMs) this.#resourceVersion = undefined;
    return isHealthy() ? 0 : this.#backoff.next();
  }

  #apply({ type, object }: WatchEvent): void {
    this.#touch();
    this.#lastEvent = this.#now();
    const version = (object as { metadata?: Partial<ObjectMeta> } | null)?.metadata?.resourceVersion;
    if (type !== 'BOOKMARK' && isRawObject(object)) {
      if (type === 'DELETED') this.#store.delete(object);
      else this.#store.set(object);
      this.#options.metrics?.setSize(this.name, this.size);
    }
    if (version) this.#resourceVersion = version;
  }

  #touch(): void {
    this.#lastContact = this.#now();
  }

  #recover(thrown: unknown): number {
    const error = asClassifiedError(thrown);
    const delayMs = Math.max(this.#backoff.next(), error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0);
    const willList = this.#isVersionSuspect(error);
    if (willList) this.#resourceVersion = undefined;
    const isBarred = error.code === 'forbidden' && this.#options.isServed !== undefined;
    const level = isBarred && this.#isBarred ? 'debug' : error.code === 'gone' ? 'info' : 'warn';
    this.#isBarred ||= isBarred;
    this.#log[level]({ err: error, willList, delayMs: Math.round(delayMs) }, 'list or watch failed, retrying');
    return delayMs;
  }

  async #isServed(signal: AbortSignal): Promise<boolean> {
    return (await this.#options.isServed?.(signal)) ?? true;
  }

  #becomeAbsent(): number {
    const { absentMs } = this.#timing;
    if (!this.#isAbsent) this.#log.info({ retryInMs: absentMs }, 'resource not served by the API server');
    this.#isAbsent = true;
    this.#isBarred = false;
    this.#store.keepOnly(new Set());
    this.#options.metrics?.setSize(this.name, this.size);
    return absentMs;
  }

  /**
   * Whether to list again instead of resuming from the last version: it has expired, the server rejects it, or nothing
   * follows it, as when etcd was restored from a backup and the version is in the future.
   */
  #isVersionSuspect(error: RetryableError | TerminalError): boolean {
    const isExpired = error.code === 'gone' || error instanceof TerminalError;
    return isExpired || this.#backoff.failures >= MAX_RESUMES;
  }
}
