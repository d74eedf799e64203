// When the API server last answered a question that it must pass on to etcd. Watches are answered from its cache and go on when etcd
// is gone: they cannot tell that nothing can be read or written.

import { pause } from '../backoff.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';

/** Longer than two attempts in a row without an answer (lease-timing.ts): one that is lost is no alarm. */
const MAX_SILENCE_MS = 15_000;
/** As often as the attempts for a Lease, at the least. */
const READ_MS = 5_000;

export class ApiContact {
  readonly #clock: () => number;
  #answeredAt: number;

  /** `clock`: milliseconds on a clock that is never set. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#answeredAt = clock();
  }

  /** To be called after each write, and each read of the newest, that was answered. */
  noteAnswer(): void {
    this.#answeredAt = this.#clock();
  }

  /** Why this replica can do nothing, in one line; empty when it can. */
  problems(): string[] {
    const silentMs = this.#clock() - this.#answeredAt;
    if (silentMs <= MAX_SILENCE_MS) return [];
    return [`API server: no answer to a read or write for ${Math.round(silentMs / 1000)} s`];
  }
}

export interface KeepContactOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly contact: Pick<ApiContact, 'noteAnswer'>;
  readonly log: Logger;
  /** Of a collection: one object of it is read. */
  readonly path: string;
  readonly everyMs?: number;
}

/** For a replica without a Lease: reads a little from etcd now and then, until the signal. */
export async function keepContact(options: KeepContactOptions, signal: AbortSignal): Promise<void> {
  const { client, contact, log, path, everyMs = READ_MS } = options;
  while (!signal.aborted) {
    try {
      await client.get(`${path}?limit=1`, AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]));
      contact.noteAnswer();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'API server not answering');
    }
    await pause(everyMs, signal);
  }
}
