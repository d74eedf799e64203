// Parses and formats durations as Go's time.ParseDuration and Duration.String do ("2160h", "1h30m", "1.5s"), error
// texts included: users know those texts from cert-manager. Never rounds where Go does not.

import { err, ok, type Result } from './result.ts';

/** Go's time.Duration: nanoseconds in a signed 64-bit integer. */
export type Nanoseconds = bigint;

export const MILLISECOND: Nanoseconds = 1_000_000n;
export const SECOND: Nanoseconds = 1_000n * MILLISECOND;
export const MINUTE: Nanoseconds = 60n * SECOND;
export const HOUR: Nanoseconds = 60n * MINUTE;

const UNITS: ReadonlyMap<string, Nanoseconds> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n], // micro sign
  ['\u03bcs', 1_000n], // Greek letter mu
  ['ms', 1_000_000n],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
]);

/** 2^63: Go sums unsigned and applies the sign last, so the most negative duration is valid. */
const LIMIT = 1n << 63n;

/** Parses a duration as time.ParseDuration does; the error is Go's text, e.g. `time: missing unit in duration "1"`. */
export function parseGoDuration(text: string): Result<Nanoseconds> {
  const unsigned = text.replace(/^[-+]/, '');
  const size = unsigned === '0' ? ok(0n) : sumParts(unsigned);
  if (!size.ok) return err(`time: ${size.error} ${quote(text)}`);
  if (text.startsWith('-')) return ok(-size.value);
  return size.value === LIMIT ? err(`time: invalid duration ${quote(text)}`) : size;
}

/** A sequence of numbers with units, such as 1h30m; the error is the middle part of Go's text. */
function sumParts(text: string): Result<Nanoseconds> {
  if (!/^[0-9.]/.test(text)) return err('invalid duration');
  let sum = 0n;
  for (const [part, whole = '', fraction = '', unit = ''] of text.matchAll(/([0-9]*)(\.[0-9]*)?([^.0-9]*)/g)) {
    if (part === '') break;
    const value = readPart(whole, fraction.slice(1), unit);
    if (!value.ok) return value;
    // Go adds in 64 bits and checks the sum afterwards: 2^63 + 2^63 is 0 there, and here.
    sum = BigInt.asUintN(64, sum + value.value);
    if (sum > LIMIT) return err('invalid duration');
  }
  return ok(sum);
}

/** One number with its unit, in nanoseconds; the error is as in sumParts. */
function readPart(whole: string, fraction: string, unitName: string): Result<Nanoseconds> {
  const significant = whole.replace(/^0+/, '');
  if (whole === '' && fraction === '') return err('invalid duration');
  // 20 significant digits always exceed 2^63: a long annotation must not become a huge BigInt.
  if (significant.length > 19 || BigInt(significant) > LIMIT) return err('invalid duration');
  if (unitName === '') return err('missing unit in duration');
  const unit = UNITS.get(unitName);
  if (unit === undefined) return err(`unknown unit ${quote(unitName)} in duration`);
  const value = BigInt(significant) * unit;
  // Go checks the whole part before it adds the fraction, but the fraction is never negative: one check is enough.
  const total = value + fractionOf(fraction, unit);
  return total > LIMIT ? err('invalid duration') : ok(total);
}

/**
 * The fraction of a unit, as Go's leadingFraction computes it: digits that overflow 63 bits are dropped, the product is
 * a float64.
 */
function fractionOf(digits: string, unit: Nanoseconds): Nanoseconds {
  let numerator = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (numerator > (LIMIT - 1n) / 10n) break;
    const next = numerator * 10n + BigInt(digit);
    if (next > LIMIT) break;
    numerator = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(numerator) * (Number(unit) / scale)));
}

/** Go's time.quote: printable ASCII unchanged, `"` and `\` escaped, any other byte as \xNN. */
function quote(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&');
  const bytes = escaped.replace(/[^ -\x7f]+/g, run => Buffer.from(run).toString('hex').replace(/../g, '\\x$&'));
  return `"${bytes}"`;
}

/** Formats a duration as Duration.String does: `10m0s`, `1.5s`, `100ms`, `1µs`, `0s`. */
export function formatGoDuration(duration: Nanoseconds): string {
  const sign = duration < 0n ? '-' : '';
  const size = duration < 0n ? -duration : duration;
  if (size === 0n) return '0s';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}\u00b5s`;
  if (size < SECOND) return `${sign}${decimal(size, 6)}ms`;
  const hours = size / HOUR;
  const minutes = (size / MINUTE) % 60n;
  const seconds = decimal(size % MINUTE, 9);
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

/** size / 10^places without trailing zeros. */
function decimal(size: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = String(size % scale)
    .padStart(places, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(size / scale) : `${size / scale}.${fraction}`;
}
