// Reads Secrets by name, each at most once a second however many ask, and asks every second for those that something waits
// for. Never lists or watches Secrets, so that the signer needs no right to do so; nothing older than a second is handed out.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { isObjectName } from '@countersign/common/object-name.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';

/** core/v1 Secret, as read; `data` values are base64. The same object is handed out until the Secret changes. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

export function formatSecretRef(ref: SecretRef): string {
  return `${ref.namespace}/${ref.name}`;
}

interface Copy {
  readonly readAt: number;
  readonly secret: Promise<Secret | undefined>;
}

interface Watch {
  readonly ref: SecretRef;
  readonly version: string | undefined;
  readonly wake: Map<string, () => void>;
}

const MAX_AGE_MS = 1_000;
/** How often the age of the copies is looked at: a change is seen a second and this much after it, by one read a second. */
const POLL_EVERY_MS = 250;
const FORGET_AFTER_MS = 600_000;

export class SecretReader {
  readonly #client: KubeClient;
  readonly #clock: () => number;
  readonly #copies = new Map<string, Copy>();
  readonly #watches = new Map<string, Watch>();
  /** Which of the watches each waiter is in. */
  readonly #waitsFor = new Map<string, string>();

  constructor(client: KubeClient, clock: () => number = () => performance.now()) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The Secret as it is now or was less than a second ago; undefined if there is none. Throws what the client throws. */
  read(ref: SecretRef): Promise<Secret | undefined> {
    if (!isObjectName(ref.name)) return Promise.resolve(undefined);
    const key = formatSecretRef(ref);
    const copy = this.#copies.get(key);
    if (copy !== undefined && this.#clock() - copy.readAt < MAX_AGE_MS) return copy.secret;
    const secret = this.#fetch(ref, copy);
    this.#copies.set(key, { readAt: this.#clock(), secret });
    secret.catch(() => {
      if (this.#copies.get(key)?.secret === secret) this.#copies.delete(key);
    });
    return secret;
  }

  /**
   * Calls `wake` once when the Secret is no longer at `version` (undefined: absent). `waiter` names who waits: each waits for
   * one Secret at a time, the last that it named.
   */
  wakeOnChange(ref: SecretRef, version: string | undefined, waiter: string, wake: () => void): void {
    this.stopWaiting(waiter);
    const key = formatSecretRef(ref);
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

  /** Asks every second for each Secret that something waits for, until the signal; then nothing waits any more. */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => void this.#poll(), POLL_EVERY_MS);
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    clearInterval(timer);
    this.#watches.clear();
    this.#waitsFor.clear();
  }

  async #fetch(ref: SecretRef, copy: Copy | undefined): Promise<Secret | undefined> {
    const before = await copy?.secret.catch(() => undefined);
    const now = await this.#client.get<Secret>(`/api/v1/namespaces/${ref.namespace}/secrets/${ref.name}`);
    return isSameVersion(before, now) ? before : now;
  }

  async #poll(): Promise<void> {
    this.#forgetOldCopies();
    await Promise.all([...this.#watches].map(([key, watch]) => this.#check(key, watch)));
  }

  async #check(key: string, watch: Watch): Promise<void> {
    // A Secret that cannot be read now is asked for again in a second; whoever waits is not told.
    const read = await this.read(watch.ref).then(
      secret => ({ version: secret?.metadata.resourceVersion }),
      () => undefined,
    );
    if (read === undefined || read.version === watch.version || this.#watches.get(key) !== watch) return;
    this.#wakeAll(key, watch);
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
    for (const [key, copy] of this.#copies) if (copy.readAt < oldest) this.#copies.delete(key);
  }
}

function isSameVersion(before: Secret | undefined, now: Secret | undefined): boolean {
  return (
    before?.metadata.uid === now?.metadata.uid && before?.metadata.resourceVersion === now?.metadata.resourceVersion
  );
}
