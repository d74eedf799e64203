// Notifies a standby replica of each change to the Lease, so that it does not wait for its next attempt. Only a hint:
// attempts find what the watch misses. Never writes.

import { Backoff, pause } from '../backoff.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';

export interface LeaseWatchOptions {
  readonly client: Pick<KubeClient, 'watch'>;
  readonly log: Logger;
  /** Path of the collection. */
  readonly path: string;
  readonly name: string;
  /** Called with the current Lease, or undefined if it was deleted. Returns whether it can be acquired. */
  readonly onChange: (lease: unknown) => boolean;
}

/** The server ends a watch after this time. A dead connection is given up somewhat later. */
const WATCH_SECONDS = 60;
const GIVE_UP_MS = 70_000;

export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  /** Without permission to watch, only the attempts find the Lease free. */
  readonly #backoff = new Backoff({ minMs: 1_000, maxMs: 300_000 });
  #free = Promise.withResolvers<void>();

  constructor(options: LeaseWatchOptions) {
    this.#options = options;
  }

  /** Until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#watch(signal);
      } catch (error) {
        const { log, name } = this.#options;
        if (this.#backoff.failures === 0) log.warn({ err: error, lease: name }, 'cannot watch lease, retrying');
      }
      // Also after a successful watch: a server that ends watches early must not cause a busy loop.
      if (!signal.aborted) await pause(this.#backoff.next(), signal);
    }
  }

  /** Resolves when the Lease can be acquired, at the latest after `ms` or at the signal. */
  async whenFree(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#free.promise, pause(ms, AbortSignal.any([signal, over.signal]))]);
    over.abort();
    this.#free = Promise.withResolvers();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, path, name, onChange } = this.#options;
    const fieldSelector = encodeURIComponent(`metadata.name=${name}`);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]);
    // Without a resourceVersion the first event is the current Lease.
    const query = `?watch=1&fieldSelector=${fieldSelector}&timeoutSeconds=${WATCH_SECONDS}`;
    for await (const { type, object } of client.watch(`${path}${query}`, limit)) {
      this.#backoff.reset();
      if (type !== 'BOOKMARK' && onChange(type === 'DELETED' ? undefined : object)) this.#free.resolve();
    }
  }
}
