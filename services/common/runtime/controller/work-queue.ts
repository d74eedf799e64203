// A queue of keys and workers of a pool: a key is queued once, is processed by one worker at a time, and is requeued
// with backoff if its work fails. Never knows what a key means.

import { randomUUID } from 'node:crypto';
import { FairQueue, type Waiting } from './fair-queue.ts';
import type { WorkerPool } from './worker-pool.ts';

/**
 * Processes one key; `attempt` is 0 for the first attempt since the key last succeeded, and `reconcileId` identifies
 * the run. Throws to be retried.
 */
export type Work = (key: string, attempt: number, reconcileId: string) => Promise<void>;

export interface FailedRun {
  readonly key: string;
  readonly reconcileId: string;
  readonly error: unknown;
  /** Undefined if the key is dropped. */
  readonly retryInMs: number | undefined;
}

/** Observes a queue; durations are in seconds. */
export interface QueueObserver {
  depth(size: number): void;
  added(): void;
  retried(): void;
  started(waitedSeconds: number): void;
  finished(workedSeconds: number): void;
}

export interface WorkQueueOptions {
  readonly work: Work;
  readonly workers: WorkerPool;
  /**
   * The share of a key, in all queues of the pool: shares take turns, and none has all workers. Without it the queue
   * takes all workers.
   */
  readonly shareOf?: (key: string) => string;
  /** Milliseconds to wait before attempt number `attempt` (1, 2, …) after `error`; undefined drops the key. */
  readonly delayFor: (error: unknown, attempt: number) => number | undefined;
  readonly onError: (run: FailedRun) => void;
  readonly observer: QueueObserver;
  /** Milliseconds on a monotonic clock. */
  readonly clock?: () => number;
}

/** One in this many is taken from the keys that were added in bulk, so that they do not starve. */
const TURN_OF_MANY = 8;

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: () => number;
  /** Keys that wait for a worker. */
  readonly #waiting = new FairQueue();
  /** Keys that were added in bulk for one cause, such as a change of an issuer: other keys go first. */
  readonly #many = new FairQueue();
  #started = 0;
  readonly #working = new Set<string>();
  readonly #addedWhileWorking = new Set<string>();
  readonly #attempts = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running = false;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    options.workers.join(() => this.#changed());
  }

  /** Queues a key, at once even if it was to be retried later. */
  add(key: string): void {
    this.#add(key, this.#waiting);
  }

  /** Like add, for keys that are added in bulk for one cause: a key added alone goes before them. */
  addMany(keys: Iterable<string>): void {
    for (const key of keys) if (!this.#waiting.get(key)) this.#add(key, this.#many);
  }

  #add(key: string, line: FairQueue): void {
    this.#cancelTimer(key);
    if (line.get(key) || this.#addedWhileWorking.has(key)) return;
    if (!this.#many.get(key)) this.#options.observer.added();
    if (this.#working.has(key)) this.#addedWhileWorking.add(key);
    else line.add(this.#toWaiting(key, this.#many.get(key)?.addedAt));
    if (line !== this.#many) this.#many.delete(key);
    this.#changed();
  }

  #toWaiting(key: string, addedAt = this.#clock()): Waiting {
    return { key, share: this.#options.shareOf?.(key) ?? '', addedAt };
  }

  /** Queues a key after a delay, unless it is queued sooner. */
  addAfter(key: string, delayMs: number): void {
    if (this.#timers.has(key) || this.#waiting.get(key) || this.#many.get(key)) return;
    const timer = setTimeout(() => this.add(key), delayMs);
    this.#timers.set(key, timer);
  }

  /**
   * Works until the signal, then waits for the keys in progress. Drops the waiting keys: the next leader lists
   * everything again.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await this.#workUntil(signal);
    this.#drop();
    if (this.#working.size > 0) await new Promise<void>(resolve => (this.#onIdle = resolve));
    // Including what was added meanwhile.
    this.#drop();
  }

  get depth(): number {
    return this.#waiting.size + this.#many.size;
  }

  /** Whether the queue is busy: keys wait for a worker, or at least a quarter of the workers is busy. */
  get isLoaded(): boolean {
    return this.depth > 0 || this.#working.size * 4 >= this.#options.workers.size;
  }

  async #workUntil(signal: AbortSignal): Promise<void> {
    this.#running = true;
    this.#changed();
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#running = false;
  }

  #drop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    this.#many.clear();
    this.#attempts.clear();
    this.#options.observer.depth(0);
  }

  #cancelTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  #changed(): void {
    let next: Waiting | undefined;
    while (this.#running && (next = this.#takeNext())) this.#start(next);
    this.#options.observer.depth(this.depth);
  }

  #takeNext(): Waiting | undefined {
    const lines = [this.#waiting, this.#many];
    if ((this.#started + 1) % TURN_OF_MANY === 0) lines.reverse();
    const { workers, shareOf } = this.#options;
    const mayHaveMore = (share: string) => workers.mayTake(shareOf && share);
    return lines[0]?.take(mayHaveMore) ?? lines[1]?.take(mayHaveMore);
  }

  #start({ key, share, addedAt }: Waiting): void {
    const startedAt = this.#clock();
    this.#started += 1;
    this.#working.add(key);
    this.#options.workers.take(share);
    this.#options.observer.started((startedAt - addedAt) / 1000);
    const reconcileId = randomUUID();
    this.#options
      .work(key, this.#attempts.get(key) ?? 0, reconcileId)
      .then(
        () => void this.#attempts.delete(key),
        (error: unknown) => this.#failed(key, reconcileId, error),
      )
      .finally(() => this.#finished({ key, share, addedAt: startedAt }));
  }

  #failed(key: string, reconcileId: string, error: unknown): void {
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    const retryInMs = this.#options.delayFor(error, attempt);
    this.#options.onError({ key, reconcileId, error, retryInMs });
    if (retryInMs === undefined) {
      this.#attempts.delete(key);
      return;
    }
    this.#attempts.set(key, attempt);
    this.#options.observer.retried();
    if (this.#running) this.addAfter(key, retryInMs);
  }

  #finished({ key, share, addedAt: startedAt }: Waiting): void {
    this.#options.observer.finished((this.#clock() - startedAt) / 1000);
    this.#working.delete(key);
    if (this.#addedWhileWorking.delete(key) && this.#running) {
      this.#cancelTimer(key);
      this.#waiting.add(this.#toWaiting(key));
    }
    // Calls #changed of every queue, this one included.
    this.#options.workers.give(share);
    if (this.#working.size === 0) this.#onIdle?.();
  }
}
