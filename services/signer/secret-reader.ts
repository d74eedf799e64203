// Reads Secrets by name, each at most once a second however many callers there are, and polls the Secrets that requests
// wait for. Never lists or watches Secrets, so the signer needs no permission for that.

import { isDeepStrictEqual } from 'node:util';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { readSecret } from '@countersign/common/runtime/kube/read-secret.ts';
import type { Secret, SecretRef } from '@countersign/common/secret.ts';

interface CachedSecret {
  /** When the read was sent. */
  readonly askedAt: number;
  readonly secret: Secret | undefined;
}

interface Watch {
  readonly ref: SecretRef;
  readonly version: string | undefined;
  readonly wake: Map<string, () => void>;
}

const MAX_AGE_MS = 1_000;
/**
 * How often cached Secrets are checked for age: a change is seen at most a second and this much later, with one read
 * a second.
 */
const POLL_EVERY_MS = 250;
/**
 * Maximum number of concurrent polling reads, so that about 50 Secrets are read every second. Beyond that they take
 * turns: requesters choose Secret names and must not keep the API server or the Lease renewal busy with them.
 */
const POLLS_AT_ONCE = 12;
const EVICT_AFTER_MS = 600_000;

export class SecretReader {
  readonly #client: KubeClient;
  readonly #clock: () => number;
  readonly #cache = new Map<string, CachedSecret>();
  /** Reads in flight. Concurrent callers share one read, so a slow API server gets no extra load. */
  readonly #reads = new Map<string, Promise<Secret | undefined>>();
  #polls = 0;
  readonly #watches = new Map<string, Watch>();
  /** The watch that each waiter belongs to. */
  readonly #waitsFor = new Map<string, string>();

  constructor(client: KubeClient, clock: () => number = () => performance.now()) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * Returns the Secret as it is now or was less than a second ago, or the result of a read in flight; undefined if it
   * does not exist. Throws the client's errors.
   */
  async read(ref: SecretRef): Promise<Secret | undefined> {
    if (!isObjectName(ref.name)) return undefined;
    const key = keyOf(ref);
    return this.#isFresh(key) ? this.#cache.get(key)?.secret : (this.#reads.get(key) ?? this.#startRead(key, ref));
  }

  /** Returns the Secret from a new read, bypassing the cache and any read in flight; undefined if it does not exist. */
  async readNow(ref: SecretRef): Promise<Secret | undefined> {
    return isObjectName(ref.name) ? this.#fetch(keyOf(ref), ref) : undefined;
  }

  /**
   * Calls `wake` once when the Secret is no longer at `version` (undefined: absent). `waiter` identifies the caller:
   * each waits for one Secret at a time, the last one it passed.
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

  /** Removes a waiter that is gone. A Secret that nothing waits for is no longer polled. */
  stopWaiting(waiter: string): void {
    const key = this.#waitsFor.get(waiter);
    if (key === undefined) return;
    this.#waitsFor.delete(waiter);
    const watch = this.#watches.get(key);
    watch?.wake.delete(waiter);
    if (watch?.wake.size === 0) this.#watches.delete(key);
  }

  /** Polls the Secrets that requests wait for until the signal, then drops all waiters. */
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
    const askedAt = this.#cache.get(key)?.askedAt;
    return askedAt !== undefined && this.#clock() - askedAt < MAX_AGE_MS;
  }

  #startRead(key: string, ref: SecretRef): Promise<Secret | undefined> {
    const read = this.#fetch(key, ref).finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  async #fetch(key: string, ref: SecretRef): Promise<Secret | undefined> {
    const askedAt = this.#clock();
    const now = await readSecret(this.#client, ref);
    const before = this.#cache.get(key);
    const secret = isSame(before?.secret, now) ? before?.secret : now;
    // An earlier read may be answered later.
    if (before === undefined || before.askedAt <= askedAt) this.#cache.set(key, { askedAt, secret });
    // Any read wakes the waiters: other callers may keep the cache fresh, so that no poll is due.
    const watch = this.#watches.get(key);
    if (watch !== undefined && watch.version !== secret?.metadata.resourceVersion) this.#wakeAll(key, watch);
    return secret;
  }

  /** Reads Secrets that were not read for a second, the longest unread first. */
  #poll(): void {
    this.#evictExpired();
    const due = [...this.#watches].filter(([key]) => !this.#isFresh(key) && !this.#reads.has(key));
    for (const [key, watch] of due.slice(0, POLLS_AT_ONCE - this.#polls)) {
      // Move to the end of the queue.
      this.#watches.delete(key);
      this.#watches.set(key, watch);
      this.#polls += 1;
      // A failed poll is repeated; waiters are not woken.
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

  #evictExpired(): void {
    const oldest = this.#clock() - EVICT_AFTER_MS;
    for (const [key, cached] of this.#cache) if (cached.askedAt < oldest) this.#cache.delete(key);
  }
}

/** A changed label or annotation, which may change repeatedly, is no reason to parse keys and wake requests. */
function isSame(before: Secret | undefined, now: Secret | undefined): boolean {
  return before?.metadata.uid === now?.metadata.uid && isDeepStrictEqual(before?.data, now?.data);
}

function keyOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
