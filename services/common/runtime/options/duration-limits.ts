// Durations in the texts of options, as users write them, and the mistakes of a duration outside its limits: each says
// the value seen and the value wanted.

import { formatGoDuration, MILLISECOND } from '../../duration.ts';

/** As Go formats it, without the units that are zero: `24h`, `1m30s`, `0s`. */
export function formatDuration(milliseconds: number): string {
  return formatGoDuration(BigInt(milliseconds) * MILLISECOND)
    .replace(/m0s$/, 'm')
    .replace(/h0m$/, 'h');
}

export function findTooLong(flag: string, ms: number, maxMs: number): string[] {
  return ms <= maxMs ? [] : [`${flag}: ${formatDuration(ms)} is more than the maximum, ${formatDuration(maxMs)}`];
}

export interface Limits {
  readonly min: number;
  readonly max: number;
}

/** For durations that others only take in whole seconds. */
export function findNotWholeSeconds(flag: string, ms: number, { min, max }: Limits): string[] {
  if (ms >= min && ms <= max && ms % 1_000 === 0) return [];
  const range = `from ${formatDuration(min)} to ${formatDuration(max)}`;
  return [`${flag}: ${formatDuration(ms)} is not a whole number of seconds ${range}`];
}

/**
 * Below the minimum, an API server that is slow for a few seconds costs leadership; above the maximum, a crash stops
 * the work for too long.
 */
const LEASE_DURATION_MS: Limits = { min: 5_000, max: 300_000 };

/** Mistakes in --lease-duration. */
export function findLeaseMistakes({ leaseDuration }: { readonly leaseDuration: number }): string[] {
  return findNotWholeSeconds('--lease-duration', leaseDuration, LEASE_DURATION_MS);
}
