// Parses the text of one option. An error says what is wrong and what is valid; knows nothing about the source of
// the text.

import { MILLISECOND, parseGoDuration } from '../../duration.ts';
import { err, ok, type Result } from '../../result.ts';
import { formatDuration } from './duration-limits.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress } from './listen-address.ts';
import type { Option } from './option-table.ts';

type Printable = string | number | boolean;

type Value = Result<Printable | ListenAddress>;

type OptionOf<Kind extends Option['kind']> = Extract<Option, { readonly kind: Kind }>;

function parseInteger(text: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: OptionOf<'integer'>): Value {
  const number = Number(text);
  const isInteger = /^-?\d+$/.test(text) && Number.isSafeInteger(number);
  if (isInteger && number >= min && number <= max) return ok(number);
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `between ${min} and ${max}`;
  return err(`"${text}" is not an integer ${range}`);
}

function parseDuration(text: string): Value {
  const parsed = parseGoDuration(text);
  if (!parsed.ok) return err(explainDuration(text, parsed.error));
  if (parsed.value < 0n) return err(`"${text}" must not be negative`);
  const isWhole = parsed.value % MILLISECOND === 0n;
  return isWhole ? ok(Number(parsed.value / MILLISECOND)) : err(`"${text}" is not a whole number of milliseconds`);
}

/** Go's text, which users of annotations know from cert-manager, says less to users of flags. */
function explainDuration(text: string, goError: string): string {
  if (goError.includes('missing unit')) return `"${text}" has no unit; use a duration such as 30s or 1m30s`;
  const [, unit] = /unknown unit ("[^"]*")/.exec(goError) ?? [];
  if (unit === undefined) return `"${text}" is not a duration; use one such as 30s or 1m30s`;
  return `"${text}" has the unknown unit ${unit}; use h, m, s or ms, such as 24h or 1m30s`;
}

function parseBoolean(text: string): Value {
  return text === 'true' || text === 'false' ? ok(text === 'true') : err(`"${text}" is not true or false`);
}

function parseEnum(text: string, { values }: OptionOf<'enum'>): Value {
  return values.includes(text) ? ok(text) : err(`"${text}" is not one of ${values.join(', ')}`);
}

/** Parses a given value. The error does not repeat a secret. */
export function parseOption(option: Option, text: string): Value {
  const value = parseKind(option, text);
  return !value.ok && option.secret ? err(`the value is not a valid ${option.kind}`) : value;
}

function parseKind(option: Option, text: string): Value {
  if (text === '' && option.kind !== 'string') return err('the value is empty');
  switch (option.kind) {
    case 'integer':
      return parseInteger(text, option);
    case 'duration':
      return parseDuration(text);
    case 'address':
      return parseListenAddress(text);
    case 'boolean':
      return parseBoolean(text);
    case 'enum':
      return parseEnum(text, option);
    case 'string':
      return ok(text);
  }
}

/** A value as it is written in a flag. */
export function printValue({ kind }: Option, value: Printable | ListenAddress): Printable {
  if (kind === 'duration') return formatDuration(Number(value));
  return typeof value === 'object' ? formatListenAddress(value) : value;
}

/** The default value of an option; undefined if it has none. */
export function defaultOf(option: Option): Value | undefined {
  if (option.default === undefined) return undefined;
  const isText = option.kind === 'duration' || option.kind === 'address';
  return isText ? parseKind(option, option.default) : ok(option.default);
}
