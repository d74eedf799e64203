// The lifecycle of a process: rejects a Node.js that is too old, turns signals into an AbortSignal, and closes
// everything in order before a deadline. Never exits: main does, or passes `exit`.

import type { Logger } from './log.ts';

/** The oldest line on which the unit tests pass (24.11). */
const MIN_NODE_MAJOR = 24;

/** Throws if this Node.js is too old to run the services. */
export function requireNode(version: string = process.versions.node): void {
  if (Number.parseInt(version, 10) >= MIN_NODE_MAJOR) return;
  throw new Error(`Node.js ${version} is too old: install Node.js ${MIN_NODE_MAJOR} or newer`);
}

/** The source of signals: the process, or an emitter in tests. */
interface SignalSource {
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
}

export interface StopSignalOptions {
  readonly log: Logger;
  /** Ends the process with this code at once: process.exit. */
  readonly exit: (code: number) => void;
  readonly source?: SignalSource;
}

/** Aborted by the first SIGTERM or SIGINT; the second one exits with 1 at once. */
export function createStopSignal({ log, exit, source = process }: StopSignalOptions): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: string): void => {
    log.info({ signal }, controller.signal.aborted ? 'second signal, exiting' : 'stopping');
    if (controller.signal.aborted) exit(1);
    controller.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) source.on(name, stop);
  return controller.signal;
}

/** Something to close at shutdown; it should not reject. */
export interface Closer {
  readonly name: string;
  readonly close: () => Promise<void> | void;
}

export interface DrainOptions {
  /** For all closers together; less than the pod's terminationGracePeriodSeconds. */
  readonly deadlineMs: number;
  readonly log: Logger;
}

/**
 * Closes one after the other, in the given order: what accepts new work first, what logs last. Logs a failure and
 * continues. Returns whether everything was closed before the deadline.
 */
export async function drain(closers: readonly Closer[], { deadlineMs, log }: DrainOptions): Promise<boolean> {
  const deadline = Promise.withResolvers<'late'>();
  const timer = setTimeout(deadline.resolve, deadlineMs, 'late');
  let isClean = true;
  try {
    for (const [index, closer] of closers.entries()) {
      const outcome = await Promise.race([close(closer, log), deadline.promise]);
      if (outcome === 'late') {
        const unclosed = closers.slice(index).map(({ name }) => name);
        log.error({ unclosed, deadlineMs }, 'shutdown deadline exceeded');
        return false;
      }
      isClean &&= outcome === 'closed';
    }
    return isClean;
  } finally {
    clearTimeout(timer);
  }
}

async function close(closer: Closer, log: Logger): Promise<'closed' | 'failed'> {
  try {
    await closer.close();
    return 'closed';
  } catch (error) {
    log.error({ err: error, closer: closer.name }, 'close failed');
    return 'failed';
  }
}
