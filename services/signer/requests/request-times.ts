// How long a request has been open, and whether its end is recent, from times that the API server stores in whole
// seconds. Pure.

/** How long kube-apiserver keeps an event (--event-ttl). */
const EVENT_TTL_MS = 3_600_000;

/** More than the rounding of the API server, and less than a request that was listed instead of watched. */
const LIVE_MS = 2_000;

/**
 * Milliseconds from `stored` to `now`; all are ms since 1970. `stored` is in whole seconds (NaN if absent), so for an
 * object seen live the time of receipt is more precise.
 */
export function millisecondsSince(stored: number, receivedAt: number, now: number): number {
  const cameInLive = !(receivedAt - stored > LIVE_MS);
  return Math.max(0, now - (cameInLive ? receivedAt : stored));
}

/** Empty for an end whose events have expired, or that has no time. */
export function endedRecently(endedAfter: number, receivedAt: number): { readonly endedAfter?: number } {
  return receivedAt - endedAfter < EVENT_TTL_MS ? { endedAfter } : {};
}
