// Tells a replica that stands by of each change to the Lease, so that it need not wait until its next try. Only a hint: what the
// watch misses, the tries find. Never writes.

import { Backoff, pause } from '../backoff.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';

export interface LeaseWatchOptions {
  readonly client: Pick<KubeClient, 'watch'>;
  readonly log: Logger;
  /** Of the collection. */
  readonly path: string;
  readonly name: string;
  /** The Lease as it is now, undefined when it was deleted. Gives whether it can be taken. */
  readonly onChange: (lease: unknown) => boolean;
}

/** The server ends a watch after this time. A connection whose other end is gone is given up somewhat later. */
const WATCH_SECONDS = 60;
const GIVE_UP_MS = 70_000;

export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  /** Without the right to watch, the tries alone find the Lease free. */
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
      // Also after a good one: a server that ends watches early must not cause a busy loop.
      if (!signal.aborted) await pause(this.#backoff.next(), signal);
    }
  }

  /** Resolves when the Lease can be taken, at the latest after `ms` or at the signal. */
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
    // Without a resourceVersion the first event has the Lease as it is.
    const query = `?watch=1&fieldSelector=${fieldSelector}&timeoutSeconds=${WATCH_SECONDS}`;
    for await (const { type, object } of client.watch(`${path}${query}`, limit)) {
      this.#backoff.reset();
      if (type !== 'BOOKMARK' && onChange(type === 'DELETED' ? undefined : object)) this.#free.resolve();
    }
  }
}
