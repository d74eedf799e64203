// Durations as Go writes them ("2160h", "1h30m", "1.5s") and nanoseconds, both ways, exactly as Go's time.ParseDuration and
// Duration.String do, error texts included: users know those texts from cert-manager. Never rounds what Go would not.

import { err, ok, type Result } from './result.ts';

/** A duration in nanoseconds: Go's time.Duration, a signed 64-bit number. */
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

/** 2^63: Go sums up unsigned and takes the sign last, so that the most negative duration can be read. */
const LIMIT = 1n << 63n;

/** Reads a duration as time.ParseDuration does; the error is Go's text, e.g. `time: missing unit in duration "1"`. */
export function parseGoDuration(text: string): Result<Nanoseconds> {
  const unsigned = text.replace(/^[-+]/, '');
  const size = unsigned === '0' ? ok(0n) : sumParts(unsigned);
  if (!size.ok) return err(`time: ${size.error} ${quote(text)}`);
  if (text.startsWith('-')) return ok(-size.value);
  return size.value === LIMIT ? err(`time: invalid duration ${quote(text)}`) : size;
}

/** A row of numbers with their units, such as 1h30m; the error is the middle of Go's text. */
function sumParts(text: string): Result<Nanoseconds> {
  if (!/^[0-9.]/.test(text)) return err('invalid duration');
  let sum = 0n;
  for (const [part, whole = '', fraction = '', unit = ''] of text.matchAll(/([0-9]*)(\.[0-9]*)?([^.0-9]*)/g)) {
    if (part === '') break;
    const value = readPart(whole, fraction.slice(1), unit);
    if (!value.ok) return value;
    // Go adds in 64 bits and looks at the sum afterwards: 2^63 + 2^63 is 0 there, and so it is here.
    sum = BigInt.asUintN(64, sum + value.value);
    if (sum > LIMIT) return err('invalid duration');
  }
  return ok(sum);
}

/** One number with its unit, in nanoseconds; the error as in sumParts. */
function readPart(whole: string, fraction: string, unitName: string): Result<Nanoseconds> {
  const significant = whole.replace(/^0+/, '');
  if (whole === '' && fraction === '') return err('invalid duration');
  // 20 digits are more than 2^63 whatever they are: a long annotation must not become a huge BigInt.
  if (significant.length > 19 || BigInt(significant) > LIMIT) return err('invalid duration');
  if (unitName === '') return err('missing unit in duration');
  const unit = UNITS.get(unitName);
  if (unit === undefined) return err(`unknown unit ${quote(unitName)} in duration`);
  const value = BigInt(significant) * unit;
  // Go looks at the whole part before it adds the fraction, but the fraction is never negative: one look is enough.
  const total = value + fractionOf(fraction, unit);
  return total > LIMIT ? err('invalid duration') : ok(total);
}

/** The fraction of a unit, by Go's leadingFraction: digits that overflow 63 bits are dropped, the product is a float64. */
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

/** Go's time.quote: printable ASCII as it is, `"` and `\` escaped, every byte of anything else as \xNN. */
function quote(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&');
  const bytes = escaped.replace(/[^ -\x7f]+/g, run => Buffer.from(run).toString('hex').replace(/../g, '\\x$&'));
  return `"${bytes}"`;
}

/** Prints a duration as Duration.String does: `10m0s`, `1.5s`, `100ms`, `1µs`, `0s`. */
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
