// Composable decoders from plain JSON (unknown) to typed values. Stops at the first mismatch and reports its path;
// converts no values, and drops fields that no decoder asks for. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { shorten } from '@countersign/common/short-text.ts';

/** `path` names the value in the error, such as `request.object.spec`. */
export type Decoder<T> = (value: unknown, path: string) => Result<T>;

const MAX_IDENTIFIER = 256;

type Fields<T> = {
  readonly [Name in keyof T]-?: object extends Pick<T, Name> ? Decoder<T[Name] | undefined> : Decoder<T[Name]>;
};

export const text: Decoder<string> = (value, path) =>
  typeof value === 'string' ? ok(value) : err(`${path} is not a string`);

/** The request's uid, which the response must repeat in full; the API server sends a UUID. */
export const identifier: Decoder<string> = (value, path) => {
  if (typeof value !== 'string' || value === '') return err(`${path} is missing`);
  return value.length <= MAX_IDENTIFIER ? ok(value) : err(`${path} is longer than ${MAX_IDENTIFIER} characters`);
};

export const integer: Decoder<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? ok(value) : err(`${path} is not an integer`);

export const flag: Decoder<boolean> = (value, path) =>
  typeof value === 'boolean' ? ok(value) : err(`${path} is not a boolean`);

/** Treats null as absent, as Go's encoding/json does. */
export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined || value === null ? ok(undefined) : decode(value, path));
}

export function withDefault<T>(decode: Decoder<T>, fallback: T): Decoder<T> {
  return (value, path) => (value === undefined || value === null ? ok(fallback) : decode(value, path));
}

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    const word = words.find(candidate => candidate === value);
    return word === undefined ? err(`${path} is not ${words.join(' or ')}`) : ok(word);
  };
}

export function listOf<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return err(`${path} is not a list`);
    const items: T[] = [];
    for (const [index, item] of value.entries()) {
      const decoded = decode(item, `${path}[${index}]`);
      if (!decoded.ok) return decoded;
      items.push(decoded.value);
    }
    return ok(items);
  };
}

export function mapOf<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isObject(value)) return err(`${path} is not an object`);
    const entries: [string, T][] = [];
    for (const [key, item] of Object.entries(value)) {
      const decoded = decode(item, `${path}[${shorten(key)}]`);
      if (!decoded.ok) return decoded;
      entries.push([key, decoded.value]);
    }
    return ok(Object.fromEntries(entries));
  };
}

/** Decodes only the entries with these keys, since the map may be large; absent keys stay absent. */
export function entriesOf<T>(keys: readonly string[], decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isObject(value)) return err(`${path} is not an object`);
    const present = keys.filter(key => Object.hasOwn(value, key)).map(key => [key, value[key]]);
    return mapOf(decode)(Object.fromEntries(present), path);
  };
}

/** Reads own properties only, so that `__proto__` in the JSON cannot supply a field. */
export function object<T>(fields: Fields<T>): Decoder<T> {
  return (value, path) => {
    if (!isObject(value)) return err(`${path} is not an object`);
    const result: Record<string, unknown> = {};
    for (const [name, decode] of Object.entries<Decoder<unknown>>(fields)) {
      const decoded = decode(Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`);
      if (!decoded.ok) return decoded;
      if (decoded.value !== undefined) result[name] = decoded.value;
    }
    return ok(result as T);
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
