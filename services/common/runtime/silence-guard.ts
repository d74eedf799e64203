// Ends a watch that has gone silent. Passes every event on unchanged and never reconnects.

import { RetryableError } from './errors.ts';
import type { KubeClient } from './kube-client.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface SilenceGuardOptions {
  readonly client: Pick<KubeClient, 'watch'>;
  readonly path: string;
  readonly signal: AbortSignal;
  /** The longest silence, in milliseconds. */
  readonly idleMs: number;
}

/**
 * The events of a watch; throws RetryableError `timeout` when none came for `idleMs`. Without this guard a connection whose
 * other end vanished (node gone, NAT entry dropped) stays open and silent for ever, and the copy grows old unnoticed. The
 * watch must ask for bookmarks: the API server sends one a minute, so that a watch which is silent for longer is dead.
 */
export async function* watchUntilSilent(options: SilenceGuardOptions): AsyncGenerator<WatchEvent> {
  const { client, path, signal, idleMs } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), idleMs);
  try {
    for await (const event of client.watch(path, AbortSignal.any([signal, silence.signal]))) {
      timer.refresh();
      yield event;
    }
  } finally {
    clearTimeout(timer);
  }
  if (!silence.signal.aborted) return;
  const message = `GET ${path.split('?', 1)[0]}: the watch was silent for ${idleMs / 1000} s`;
  throw new RetryableError(message, { code: 'timeout' });
}
