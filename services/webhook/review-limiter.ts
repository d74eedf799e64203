// Limits the access reviews in flight, and serves the waiting callers round-robin by address. A caller can invent
// requesters, each of which costs a review, and must not flood the API server through the webhook. Sends no
// reviews itself.

import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { PermissionCache } from './permission-cache.ts';
import { RoundRobinQueue } from './round-robin-queue.ts';

/** The client that sent an admission request; a connection has at most one admission in flight. */
export interface Caller {
  readonly address: string;
  /** Aborted when the caller closes the connection. */
  readonly signal: AbortSignal;
}

/**
 * An access review takes about 3 ms, so this limit allows 10 000 per second, and no load that an API server can create
 * waits for long. It is an eighth of the API server's seats for all ServiceAccounts together (priority level
 * workload-low, 245 by default).
 */
const AT_ONCE = 32;

export class ReviewLimiter {
  readonly #waiting = new RoundRobinQueue<() => void>();
  #free: number;

  constructor(atOnce = AT_ONCE) {
    this.#free = atOnce;
  }

  /** Wraps the cache so that its reviews wait for a free slot. */
  limit(permissions: Pick<PermissionCache, 'find'> | undefined, caller: Caller): Pick<PermissionCache, 'find'> {
    return {
      find: (ref, requester, ask) => {
        const askInTurn = () => this.#run(caller, ask);
        return permissions?.find(ref, requester, askInTurn) ?? askInTurn();
      },
    };
  }

  async #run<T>(caller: Caller, ask: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#waitForSlot(caller);
    try {
      return await ask();
    } finally {
      // Hand the slot to the next waiting caller.
      const next = this.#waiting.take();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Rejects when the caller closes the connection, so that there are never more waiters than connections. */
  #waitForSlot({ address, signal }: Caller): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(address, start);
        reject(new RetryableError('the caller closed the connection', { code: 'network' }));
      };
      const start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(address, start);
    });
  }
}
