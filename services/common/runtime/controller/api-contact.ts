// When the API server last answered a request that must reach etcd. Watches are served from its cache and continue
// while etcd is down: they do not show that nothing can be read or written.

import { pause } from '../backoff.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';

/** Longer than two consecutive attempts without an answer (lease-timing.ts): one lost attempt is no alarm. */
const MAX_SILENCE_MS = 15_000;
/** At least as often as the attempts for a Lease. */
const READ_MS = 5_000;

export class ApiContact {
  readonly #clock: () => number;
  #answeredAt: number;

  /** `clock`: milliseconds on a monotonic clock. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#answeredAt = clock();
  }

  /** Call after each answered write, and each answered read of the latest version. */
  recordAnswer(): void {
    this.#answeredAt = this.#clock();
  }

  /** Why this replica cannot work, in one line; empty if it can. */
  problems(): string[] {
    const silentMs = this.#clock() - this.#answeredAt;
    if (silentMs <= MAX_SILENCE_MS) return [];
    return [`API server: no answer to a read or write for ${Math.round(silentMs / 1000)} s`];
  }
}

export interface KeepContactOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly contact: Pick<ApiContact, 'recordAnswer'>;
  readonly log: Logger;
  /** Path of a collection; one object of it is read. */
  readonly path: string;
  readonly everyMs?: number;
}

/** For a replica without a Lease: reads from etcd periodically, until the signal. */
export async function keepContact(options: KeepContactOptions, signal: AbortSignal): Promise<void> {
  const { client, contact, log, path, everyMs = READ_MS } = options;
  while (!signal.aborted) {
    try {
      await client.get(`${path}?limit=1`, AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]));
      contact.recordAnswer();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'API server not answering');
    }
    await pause(everyMs, signal);
  }
}
