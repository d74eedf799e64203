// Derives the times of leader election from the duration of the Lease. Pure.

export interface LeaseTiming {
  /** How long a renewal makes this replica the leader, from when it was sent. */
  readonly termMs: number;
  /** Time between attempts to renew or acquire the Lease. */
  readonly retryMs: number;
  /** Timeout of one request. */
  readonly timeoutMs: number;
}

/** However long the Lease is, its attempts show whether the API server answers (api-contact.ts). */
const MAX_MS = 5_000;

/**
 * The proportions of client-go's leader election: for a Lease of 15 s, 10 s to renew it and 2 s between attempts. An
 * attempt without an answer times out after 5 s, so that another one, on a new connection, is in time.
 */
export function leaseTiming(durationMs: number): LeaseTiming {
  return {
    termMs: (durationMs * 10) / 15,
    retryMs: Math.min((durationMs * 2) / 15, MAX_MS),
    timeoutMs: Math.min((durationMs * 5) / 15, MAX_MS),
  };
}
