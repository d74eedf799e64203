// How many access reviews are under way at once, and whose comes next: callers' addresses take turns. A caller can make up
// requesters, each of which costs a review, and the API server must not be flooded with them in the webhook's name. Asks nothing itself.

import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { AddressRotation } from './address-rotation.ts';
import type { PermissionCache } from './permission-cache.ts';

/** Who asks for an admission; a connection has one admission under way at most. */
export interface Caller {
  readonly address: string;
  /** Aborted when the caller has hung up. */
  readonly signal: AbortSignal;
}

/**
 * An access review takes some 3 ms, so that these carry 10 000 a second, and no load that an API server can create waits for long. It
 * is an eighth of the seats that the API server has for all ServiceAccounts together (priority level workload-low, 245 by default).
 */
const AT_ONCE = 32;

export class ReviewTurns {
  readonly #waiting = new AddressRotation<() => void>();
  #free: number;

  constructor(atOnce = AT_ONCE) {
    this.#free = atOnce;
  }

  /** The same answers, each review in its turn. */
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
    else await this.#turn(caller);
    try {
      return await ask();
    } finally {
      // The turn passes on to the next in line.
      const next = this.#waiting.take();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Rejects when the caller hangs up, so that no more wait than there are connections. */
  #turn({ address, signal }: Caller): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(address, take);
        reject(new RetryableError('the caller hung up', { code: 'network' }));
      };
      const take = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(address, take);
    });
  }
}
