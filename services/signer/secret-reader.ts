// Reads Secrets by name, each at most once a second however many ask, and asks every second for those that something waits
// for, as long as these are few. Never lists or watches Secrets, so that the signer needs no right to do so.

import { isDeepStrictEqual } from 'node:util';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Secret, SecretRef } from './secret.ts';

interface Copy {
  /** When the API server was asked. */
  readonly askedAt: number;
  readonly secret: Secret | undefined;
}

interface Watch {
  readonly ref: SecretRef;
  readonly version: string | undefined;
  readonly wake: Map<string, () => void>;
}

const MAX_AGE_MS = 1_000;
/** How often the age of the copies is looked at: a change is seen a second and this much after it, by one read a second. */
const POLL_EVERY_MS = 250;
/**
 * How many reads for those who wait are in hand at most, so that some 50 Secrets are read every second. More take turns:
 * requesters choose the names of Secrets, and must not keep the API server or the Lease's renewal busy with them.
 */
const POLLS_AT_ONCE = 12;
const FORGET_AFTER_MS = 600_000;

export class SecretReader {
  readonly #client: KubeClient;
  readonly #clock: () => number;
  readonly #copies = new Map<string, Copy>();
  /** The reads in hand: who asks meanwhile gets the same answer, so that a slow API server is not asked the more. */
  readonly #reads = new Map<string, Promise<Secret | undefined>>();
  #polls = 0;
  readonly #watches = new Map<string, Watch>();
  /** Which of the watches each waiter is in. */
  readonly #waitsFor = new Map<string, string>();

  constructor(client: KubeClient, clock: () => number = () => performance.now()) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * The Secret as it is now or was less than a second ago, or as a read that is in hand will tell; undefined if there is none.
   * Throws what the client throws.
   */
  async read(ref: SecretRef): Promise<Secret | undefined> {
    if (!isObjectName(ref.name)) return undefined;
    const key = keyOf(ref);
    return this.#isFresh(key) ? this.#copies.get(key)?.secret : (this.#reads.get(key) ?? this.#startRead(key, ref));
  }

  /** The Secret as a read tells that begins now, whatever is remembered or in hand; undefined if there is none. */
  async readNow(ref: SecretRef): Promise<Secret | undefined> {
    return isObjectName(ref.name) ? this.#fetch(keyOf(ref), ref) : undefined;
  }

  /**
   * Calls `wake` once when the Secret is no longer at `version` (undefined: absent). `waiter` names who waits: each waits for
   * one Secret at a time, the last that it named.
   */
  wakeOnChange(ref: SecretRef, version: string | undefined, waiter: string, wake: () => void): void {
    this.stopWaiting(waiter);
    const key = keyOf(ref);
    const watch = this.#watches.get(key);
    if (watch !== undefined && watch.version !== version) this.#wakeAll(key, watch);
    const { wake: waiters } = this.#watches.get(key) ?? { wake: new Map<string, () => void>() };
    this.#watches.set(key, { ref, version, wake: waiters.set(waiter, wake) });
    this.#waitsFor.set(waiter, key);
  }

  /** For a waiter that is gone; a Secret that nobody waits for any more is not asked for. */
  stopWaiting(waiter: string): void {
    const key = this.#waitsFor.get(waiter);
    if (key === undefined) return;
    this.#waitsFor.delete(waiter);
    const watch = this.#watches.get(key);
    watch?.wake.delete(waiter);
    if (watch?.wake.size === 0) this.#watches.delete(key);
  }

  /** Asks for each Secret that something waits for, again and again until the signal; then nothing waits any more. */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#poll(), POLL_EVERY_MS);
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    clearInterval(timer);
    this.#watches.clear();
    this.#waitsFor.clear();
  }

  #isFresh(key: string): boolean {
    const askedAt = this.#copies.get(key)?.askedAt;
    return askedAt !== undefined && this.#clock() - askedAt < MAX_AGE_MS;
  }

  #startRead(key: string, ref: SecretRef): Promise<Secret | undefined> {
    const read = this.#fetch(key, ref).finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  async #fetch(key: string, { namespace, name }: SecretRef): Promise<Secret | undefined> {
    const askedAt = this.#clock();
    const now = await this.#client.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
    const before = this.#copies.get(key);
    const secret = isSame(before?.secret, now) ? before?.secret : now;
    // A read that was asked for earlier may be answered later.
    if (before === undefined || before.askedAt <= askedAt) this.#copies.set(key, { askedAt, secret });
    // Whoever reads it, those who wait are told: others' reads may keep the copy fresh, so that none is due for them.
    const watch = this.#watches.get(key);
    if (watch !== undefined && watch.version !== secret?.metadata.resourceVersion) this.#wakeAll(key, watch);
    return secret;
  }

  /** Reads what was not read for a second, those first that were asked for longest ago. */
  #poll(): void {
    this.#forgetOldCopies();
    const due = [...this.#watches].filter(([key]) => !this.#isFresh(key) && !this.#reads.has(key));
    for (const [key, watch] of due.slice(0, POLLS_AT_ONCE - this.#polls)) {
      // To the end of the line.
      this.#watches.delete(key);
      this.#watches.set(key, watch);
      this.#polls += 1;
      // A Secret that cannot be read now is asked for again; whoever waits is not told.
      void this.read(watch.ref)
        .catch(() => undefined)
        .finally(() => (this.#polls -= 1));
    }
  }

  #wakeAll(key: string, { wake }: Watch): void {
    this.#watches.delete(key);
    for (const [waiter, wakeOne] of wake) {
      this.#waitsFor.delete(waiter);
      wakeOne();
    }
  }

  #forgetOldCopies(): void {
    const oldest = this.#clock() - FORGET_AFTER_MS;
    for (const [key, copy] of this.#copies) if (copy.askedAt < oldest) this.#copies.delete(key);
  }
}

/** A label or an annotation that changes, again and again perhaps, is no reason to parse keys and wake requests. */
function isSame(before: Secret | undefined, now: Secret | undefined): boolean {
  return before?.metadata.uid === now?.metadata.uid && isDeepStrictEqual(before?.data, now?.data);
}

function keyOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
