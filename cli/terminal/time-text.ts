// Times and durations as people read them. Pure; the present is an argument.

import { formatGoDuration, HOUR, type Nanoseconds } from '@countersign/common/duration.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** The age as in kubectl's tables: the two largest units, such as `5d3h`, `12m`, `7s`. */
export function formatAge(milliseconds: number): string {
  let left = Math.max(0, Math.floor(milliseconds / 1000));
  const first = UNITS.findIndex(([, seconds]) => left >= seconds);
  if (first < 0) return '0s';
  const parts = UNITS.slice(first, first + 2).map(([unit, seconds]) => {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('');
}

/** `2026-11-30T12:00:00Z`; a time beyond the range of Date is `never`. */
export function formatInstant(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 19)}Z`;
}

/** `2160h (90 days)`. */
export function formatLifetime(duration: Nanoseconds): string {
  const text = formatGoDuration(duration)
    .replace(/h0m0s$/, 'h')
    .replace(/m0s$/, 'm');
  const days = duration / (24n * HOUR);
  return days >= 2n ? `${text} (${days} days)` : text;
}
