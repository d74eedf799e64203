// Writes Kubernetes Events (core/v1) in the background: each reason and message once for an object, none lost to a passing
// fault. Never makes its caller wait, since a certificate must not be late for the sake of an event.

import { backoff } from '../backoff.ts';
import { RetryableError, TerminalError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import { SparseCount } from '../process/sparse-count.ts';
import { type EventObject, type EventSubject, type EventText, toEvent } from './event-object.ts';

interface PendingEvent {
  /** Of the object that it is about. */
  readonly uid: string;
  readonly event: EventObject;
  readonly attempt: number;
  /** When it was first said; ms of the clock. */
  readonly since: number;
}

const CONCURRENT_WRITES = 16;
/** How long events wait while certificates are being written; then one is written at a time, and one more with each such time. */
const MAX_WAIT_MS = 5_000;
const LOOK_AGAIN_AFTER_MS = 20;
const WRITE_BACKOFF = { minMs: 500, maxMs: 60_000 };
/** Some four minutes with this backoff. What cannot be written by then (missing rights, a namespace that ends) is let go. */
const MAX_ATTEMPTS = 12;
/** A fault that meets thousands of events is told of once in a while. */
const TELL_EVERY_MS = 10_000;
/** So many things are remembered of one object; an issuer whose Secret comes and goes is said something new each time. */
const MAX_REMEMBERED = 100;

export class EventRecorder {
  readonly #client: KubeClient;
  readonly #log: Logger;
  readonly #isBusy: () => boolean;
  readonly #clock: () => number;
  readonly #pending: PendingEvent[] = [];
  /** What was said of each object, by uid, so that the same thing is not said at each look. */
  readonly #said = new Map<string, Set<string>>();
  #writing = 0;
  /** Events that the API server did not take, until their next attempt: they keep no other event from being written. */
  readonly #resting = new Map<PendingEvent, NodeJS.Timeout>();
  #whenDone: (() => void) | undefined;
  #isLookingAgain = false;
  #isClosed = false;
  readonly #failures: SparseCount;

  /** `isBusy` tells whether there is more urgent work for the API server: then events wait. */
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
    this.#failures = new SparseCount(TELL_EVERY_MS, clock);
  }

  /** Says it once for this object and occasion, now or as soon as the API server takes it. */
  record(subject: EventSubject, text: EventText): void {
    const { uid = '' } = subject.metadata;
    const event = toEvent(subject, text);
    if (this.#isSaid(uid, event.metadata.name)) return;
    this.#pending.push({ uid, event, attempt: 1, since: this.#clock() });
    this.#next();
  }

  /** Drops what is remembered of an object that is gone. */
  forget(uid: string): void {
    this.#said.delete(uid);
  }

  get pending(): number {
    return this.#pending.length + this.#writing + this.#resting.size;
  }

  /** Writes what there is until the signal, and nothing after that. */
  async close(signal: AbortSignal): Promise<void> {
    await this.flush(signal);
    this.#isClosed = true;
    if (this.pending > 0) this.#log.warn({ events: this.pending }, 'events lost at shutdown');
  }

  /** Resolves when every event is written, or at the signal. What rests is tried at once. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const event of this.#resting.keys()) this.#wake(event);
    if (this.pending === 0 || signal.aborted) return;
    await new Promise<void>(resolve => {
      this.#whenDone = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#next();
    });
  }

  /** Whether it was said before; from now on it was. */
  #isSaid(uid: string, name: string): boolean {
    const said = this.#said.get(uid) ?? new Set();
    if (said.has(name)) return true;
    const [oldest] = said.size < MAX_REMEMBERED ? [] : said;
    if (oldest !== undefined) said.delete(oldest);
    this.#said.set(uid, said.add(name));
    return false;
  }

  /** How many may be written at a time now. */
  get #limit(): number {
    if (this.#whenDone !== undefined || !this.#isBusy()) return CONCURRENT_WRITES;
    const [oldest] = this.#pending;
    const waited = oldest === undefined ? 0 : this.#clock() - oldest.since;
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
    if (this.#writing === 0 && this.#pending.length > 0) this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#isLookingAgain) return;
    this.#isLookingAgain = true;
    setTimeout(() => {
      this.#isLookingAgain = false;
      this.#next();
    }, LOOK_AGAIN_AFTER_MS).unref();
  }

  async #write(pending: PendingEvent): Promise<void> {
    const { uid, event, attempt } = pending;
    try {
      await this.#client.create(`/api/v1/namespaces/${event.metadata.namespace}/events`, event);
    } catch (error) {
      if (isAlreadySaid(error)) return;
      this.#tell(error, pending);
      if (error instanceof RetryableError && attempt < MAX_ATTEMPTS) {
        const delayMs = error.retryAfterMs ?? backoff(attempt, WRITE_BACKOFF);
        this.#writeLater({ ...pending, attempt: attempt + 1 }, delayMs);
      } else this.#said.get(uid)?.delete(event.metadata.name);
    }
  }

  #tell(error: unknown, { event, attempt }: PendingEvent): void {
    const failures = this.#failures.add();
    if (failures === undefined) return;
    const fields = { event: event.metadata.name, reason: event.reason, attempt, failures };
    this.#log.warn({ err: error, ...fields }, 'cannot write event');
  }

  #writeLater(event: PendingEvent, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#wake(event);
      this.#next();
    }, delayMs);
    this.#resting.set(event, timer.unref());
  }

  #wake(event: PendingEvent): void {
    clearTimeout(this.#resting.get(event));
    this.#resting.delete(event);
    this.#pending.push(event);
  }
}

/** By an earlier process (event-object.ts on names). */
function isAlreadySaid(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'already-exists';
}
