// Ends a watch that the server should have ended. Passes every event on unchanged and never reconnects.

import { RetryableError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface IdleWatchOptions {
  readonly client: Pick<KubeClient, 'watch'>;
  readonly path: string;
  readonly signal: AbortSignal;
  /** The longest silence, in milliseconds. */
  readonly idleMs: number;
  /** Called when the server has accepted the watch. */
  readonly onOpen: () => void;
}

/**
 * The events of a watch; throws RetryableError `timeout` if none came for `idleMs`, which must be longer than the
 * watch's own timeoutSeconds. A watch that neither sends events nor ends by then has lost its server: TCP does not
 * notice, because the kernel of a stopped process, or a proxy, still acknowledges keep-alives. Bookmarks have no
 * guaranteed interval.
 */
export async function* watchUntilIdle(options: IdleWatchOptions): AsyncGenerator<WatchEvent> {
  const { client, path, signal, idleMs, onOpen } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), idleMs);
  try {
    const whenOpen = () => {
      timer.refresh();
      onOpen();
    };
    for await (const event of client.watch(path, AbortSignal.any([signal, silence.signal]), whenOpen)) {
      timer.refresh();
      yield event;
    }
  } finally {
    clearTimeout(timer);
  }
  if (!silence.signal.aborted) return;
  const message = `GET ${path.split('?', 1)[0]}: no watch event within ${idleMs / 1000} s`;
  throw new RetryableError(message, { code: 'timeout' });
}
