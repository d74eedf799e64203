// The times by which a Lease is held, from how long it lasts. Pure.

export interface LeaseTiming {
  /** How long a renewal makes this replica the leader, from when it was sent. */
  readonly termMs: number;
  /** From one attempt to renew or take the Lease to the next. */
  readonly retryMs: number;
  /** How long one request of an attempt may take. */
  readonly timeoutMs: number;
}

/** However long the Lease lasts, its attempts tell whether the API server answers (api-contact.ts). */
const MAX_MS = 5_000;

/**
 * The proportions of client-go's leader election: of a Lease of 15 s, 10 s to renew it and 2 s between attempts. An attempt without
 * an answer is given up after 5 s, so that another one, on a new connection, is in time.
 */
export function leaseTiming(durationMs: number): LeaseTiming {
  return {
    termMs: (durationMs * 10) / 15,
    retryMs: Math.min((durationMs * 2) / 15, MAX_MS),
    timeoutMs: Math.min((durationMs * 5) / 15, MAX_MS),
  };
}
