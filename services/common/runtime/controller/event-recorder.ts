// Writes Kubernetes Events (core/v1) in the background: each reason and message once for an object, with retries. Never
// makes its caller wait, because an event must not delay a certificate.

import { backoff } from '../backoff.ts';
import { RetryableError, TerminalError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import { LogSampler } from '../process/log-sampler.ts';
import { type EventObject, type EventSubject, type EventText, toEvent } from './event-object.ts';

interface PendingEvent {
  /** Uid of the object. */
  readonly uid: string;
  readonly event: EventObject;
  readonly attempt: number;
  /** When it was recorded first; milliseconds of the clock. */
  readonly since: number;
}

const CONCURRENT_WRITES = 16;
/** Each event waits this long: written at once, it would delay the watch event of the write that it reports. */
const MIN_WAIT_MS = 30;
/**
 * How long events wait while certificates are written; then one is written at a time, and one more after each
 * such period.
 */
const MAX_WAIT_MS = 5_000;
const RECHECK_MS = 20;
const WRITE_BACKOFF = { minMs: 500, maxMs: 60_000 };
/**
 * About four minutes with this backoff. What cannot be written by then (missing permissions, a terminating namespace)
 * is dropped.
 */
const MAX_ATTEMPTS = 12;
/** A failure that affects thousands of events is logged once in this time. */
const LOG_INTERVAL_MS = 10_000;
/** Events remembered for one object; an issuer whose Secret comes and goes gets a new event each time. */
const MAX_REMEMBERED = 100;

export class EventRecorder {
  readonly #client: KubeClient;
  readonly #log: Logger;
  readonly #isBusy: () => boolean;
  readonly #clock: () => number;
  readonly #pending: PendingEvent[] = [];
  /** Events recorded for each object, by uid, so that none is recorded twice. */
  readonly #recorded = new Map<string, Set<string>>();
  #writing = 0;
  /** Failed events until their next attempt; they do not block other events. */
  readonly #delayed = new Map<PendingEvent, NodeJS.Timeout>();
  #whenDone: (() => void) | undefined;
  #isRecheckDue = false;
  #isClosed = false;
  readonly #failures: LogSampler;

  /** While `isBusy` is true there is more urgent work for the API server, and events wait. */
  constructor(
    client: KubeClient,
    log: Logger,
    isBusy: () => boolean = () => false,
    clock: () => number = () => performance.now(),
  ) {
    this.#client = client;
    this.#log = log;
    this.#isBusy = isBusy;
    this.#clock = clock;
    this.#failures = new LogSampler(LOG_INTERVAL_MS, clock);
  }

  /** Records the event once for this object and occasion, now or as soon as the API server accepts it. */
  record(subject: EventSubject, text: EventText): void {
    const { uid = '' } = subject.metadata;
    const event = toEvent(subject, text);
    if (this.#isRecorded(uid, event.metadata.name)) return;
    this.#pending.push({ uid, event, attempt: 1, since: this.#clock() });
    this.#next();
  }

  /** Forgets a deleted object. */
  forget(uid: string): void {
    this.#recorded.delete(uid);
  }

  get pending(): number {
    return this.#pending.length + this.#writing + this.#delayed.size;
  }

  /** Writes pending events until the signal, and nothing afterwards. */
  async close(signal: AbortSignal): Promise<void> {
    await this.flush(signal);
    this.#isClosed = true;
    if (this.pending > 0) this.#log.warn({ events: this.pending }, 'events lost at shutdown');
  }

  /** Resolves when every event is written, or at the signal. Retries delayed events at once. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const event of this.#delayed.keys()) this.#retryNow(event);
    if (this.pending === 0 || signal.aborted) return;
    await new Promise<void>(resolve => {
      this.#whenDone = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#next();
    });
  }

  /** Whether it was recorded before; marks it as recorded. */
  #isRecorded(uid: string, name: string): boolean {
    const recorded = this.#recorded.get(uid) ?? new Set();
    if (recorded.has(name)) return true;
    const [oldest] = recorded.size < MAX_REMEMBERED ? [] : recorded;
    if (oldest !== undefined) recorded.delete(oldest);
    this.#recorded.set(uid, recorded.add(name));
    return false;
  }

  /** The number of concurrent writes allowed now. */
  get #limit(): number {
    if (this.#whenDone !== undefined) return CONCURRENT_WRITES;
    const [oldest] = this.#pending;
    const waited = oldest === undefined ? 0 : this.#clock() - oldest.since;
    if (!this.#isBusy()) return waited < MIN_WAIT_MS ? 0 : CONCURRENT_WRITES;
    return Math.min(Math.floor(waited / MAX_WAIT_MS), CONCURRENT_WRITES);
  }

  #next(): void {
    while (this.#writing < this.#limit && this.#pending.length > 0 && !this.#isClosed) {
      this.#writing += 1;
      void this.#write(this.#pending.shift()!).finally(() => {
        this.#writing -= 1;
        this.#next();
        if (this.pending === 0) this.#whenDone?.();
      });
    }
    if (this.#writing === 0 && this.#pending.length > 0) this.#recheckLater();
  }

  #recheckLater(): void {
    if (this.#isRecheckDue) return;
    this.#isRecheckDue = true;
    setTimeout(() => {
      this.#isRecheckDue = false;
      this.#next();
    }, RECHECK_MS).unref();
  }

  async #write(pending: PendingEvent): Promise<void> {
    const { uid, event, attempt } = pending;
    try {
      await this.#client.create(`/api/v1/namespaces/${event.metadata.namespace}/events`, event);
    } catch (error) {
      if (isAlreadyRecorded(error)) return;
      this.#logFailure(error, pending);
      if (error instanceof RetryableError && attempt < MAX_ATTEMPTS) {
        const delayMs = error.retryAfterMs ?? backoff(attempt, WRITE_BACKOFF);
        this.#writeLater({ ...pending, attempt: attempt + 1 }, delayMs);
      } else this.#recorded.get(uid)?.delete(event.metadata.name);
    }
  }

  #logFailure(error: unknown, { event, attempt }: PendingEvent): void {
    const failures = this.#failures.add();
    if (failures === undefined) return;
    const fields = { event: event.metadata.name, reason: event.reason, attempt, failures };
    this.#log.warn({ err: error, ...fields }, 'cannot write event');
  }

  #writeLater(event: PendingEvent, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#retryNow(event);
      this.#next();
    }, delayMs);
    this.#delayed.set(event, timer.unref());
  }

  #retryNow(event: PendingEvent): void {
    clearTimeout(this.#delayed.get(event));
    this.#delayed.delete(event);
    this.#pending.push(event);
  }
}

/** By an earlier process (event-object.ts explains the names). */
function isAlreadyRecorded(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'already-exists';
}
