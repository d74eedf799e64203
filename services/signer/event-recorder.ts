// Writes Kubernetes Events (core/v1) in the background: each reason and message once for an object, none lost to a passing
// fault. Never makes its caller wait, since a certificate must not be late for the sake of an event.

import { hash } from 'node:crypto';
import type { ObjectMeta } from '@countersign/common/csr.ts';
import { backoff } from '@countersign/common/runtime/backoff.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';

/** The object that an event is about (core/v1 ObjectReference). */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Tells one occasion from the next where the same thing may be said again, such as a condition's transition time. */
  readonly occasion?: string;
}

interface EventObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly reason: string;
}

interface PendingEvent {
  readonly event: EventObject;
  readonly attempt: number;
  /** When it was first said; ms of the clock. */
  readonly since: number;
}

/** The event source component, one for all issuer types. */
export const EVENT_COMPONENT = 'countersign-signer';

/** Cluster-scoped objects have no namespace; their events go here, as those of client-go's recorder do. */
const DEFAULT_NAMESPACE = 'default';
const CONCURRENT_WRITES = 16;
/** How long events wait while certificates are being written; from then on one is written at a time, lest they wait for ever. */
const MAX_WAIT_MS = 5_000;
const LOOK_AGAIN_AFTER_MS = 20;
const WRITE_BACKOFF = { minMs: 500, maxMs: 60_000 };
/** About six minutes with this backoff. What cannot be written by then (missing rights, a namespace that ends) is let go. */
const MAX_ATTEMPTS = 12;
/** The API server refuses longer notes (core/v1 Event message, 1024 bytes as in events.k8s.io/v1 note). */
const MAX_MESSAGE_LENGTH = 1_024;

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
  #resting = 0;
  #whenDone: (() => void) | undefined;
  #isLookingAgain = false;

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
  }

  /** Says it once for this object and occasion, now or as soon as the API server takes it. */
  record(subject: EventSubject, text: EventText): void {
    const name = eventName(subject, text);
    const said = this.#said.get(subject.metadata.uid ?? '') ?? new Set();
    if (said.has(name)) return;
    this.#said.set(subject.metadata.uid ?? '', said.add(name));
    this.#pending.push({ event: toEvent(name, subject, text), attempt: 1, since: this.#clock() });
    this.#next();
  }

  /** Drops what is remembered of an object that is gone. */
  forget(uid: string): void {
    this.#said.delete(uid);
  }

  get pending(): number {
    return this.#pending.length + this.#writing + this.#resting;
  }

  /** Resolves when every event is written, or at the signal. */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.pending === 0 || signal.aborted) return;
    await new Promise<void>(resolve => {
      this.#whenDone = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#next();
    });
  }

  /** How many may be written at a time now. */
  get #limit(): number {
    if (this.#whenDone !== undefined || !this.#isBusy()) return CONCURRENT_WRITES;
    const [oldest] = this.#pending;
    return oldest !== undefined && this.#clock() - oldest.since > MAX_WAIT_MS ? 1 : 0;
  }

  #next(): void {
    while (this.#writing < this.#limit && this.#pending.length > 0) {
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

  async #write({ event, attempt, since }: PendingEvent): Promise<void> {
    try {
      await this.#client.create(`/api/v1/namespaces/${event.metadata.namespace}/events`, event);
    } catch (error) {
      if (isAlreadySaid(error)) return;
      this.#log.warn({ err: error, event: event.metadata.name, reason: event.reason, attempt }, 'event not written');
      if (!(error instanceof RetryableError) || attempt >= MAX_ATTEMPTS) return;
      this.#writeLater({ event, attempt: attempt + 1, since }, error.retryAfterMs ?? backoff(attempt, WRITE_BACKOFF));
    }
  }

  #writeLater(event: PendingEvent, delayMs: number): void {
    this.#resting += 1;
    const timer = setTimeout(() => {
      this.#resting -= 1;
      this.#pending.push(event);
      this.#next();
    }, delayMs);
    timer.unref();
  }
}

/** The name is derived from what is said, so that a restarted signer does not say it a second time (409). */
function isAlreadySaid(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'already-exists';
}

function eventName(subject: EventSubject, text: EventText): string {
  const said = [subject.metadata.uid, text.reason, text.message, text.occasion ?? ''].join('\0');
  return `${toSubdomain(subject.metadata.name)}.${hash('sha256', said, 'hex').slice(0, 16)}`;
}

/** An event's name is a DNS subdomain of at most 253 characters (RFC 1123), while a CSR's may hold almost anything. */
function toSubdomain(name: string): string {
  const labels = name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .split('.');
  const trimmed = labels.map(label => label.replace(/^-|-$/g, '')).filter(label => label !== '');
  return trimmed.join('.') || 'event';
}

function toEvent(name: string, subject: EventSubject, text: EventText): EventObject & Record<string, unknown> {
  const { metadata } = subject;
  const now = new Date().toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: metadata.namespace ?? DEFAULT_NAMESPACE },
    involvedObject: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    type: text.type,
    reason: text.reason,
    message: text.message.slice(0, MAX_MESSAGE_LENGTH),
    source: { component: EVENT_COMPONENT },
    reportingComponent: EVENT_COMPONENT,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
