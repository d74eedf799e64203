// The format of an option table, and the configuration type derived from it. Types and names only; parses nothing.

import type { ListenAddress } from './listen-address.ts';

interface OptionBase {
  readonly help: string;
  /** Never printed. */
  readonly secret?: boolean;
  /** A variable that other programs also read: used if neither the flag nor the option's own variable is set. */
  readonly alias?: string;
}

/** One option. Required if it has no default. */
export type Option = OptionBase &
  (
    | { readonly kind: 'string'; readonly default?: string }
    | { readonly kind: 'integer'; readonly default?: number; readonly min?: number; readonly max?: number }
    /** A Go duration (`1m30s`), as in kubectl and cert-manager; the value is in milliseconds. */
    | { readonly kind: 'duration'; readonly default?: string }
    /** A listen address: `host:port`, or `:port` for all addresses. */
    | { readonly kind: 'address'; readonly default?: string }
    | { readonly kind: 'boolean'; readonly default?: boolean }
    | { readonly kind: 'enum'; readonly values: readonly string[]; readonly default?: string }
  );

/** Options by name; `clusterResourceNamespace` is the flag `--cluster-resource-namespace`. */
export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { readonly kind: 'integer' | 'duration' }
  ? number
  : O extends { readonly kind: 'boolean' }
    ? boolean
    : O extends { readonly kind: 'enum'; readonly values: readonly (infer Value)[] }
      ? Value
      : O extends { readonly kind: 'address' }
        ? ListenAddress
        : string;

/** The values by option name, typed by the table. */
export type Config<Table extends OptionTable> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

/** Keeps the literal types of a table, so that its Config knows the values of each enum. */
export function defineOptions<const Table extends OptionTable>(table: Table): Table {
  return table;
}

function split(name: string, separator: string): string {
  return name.replace(/[A-Z]/g, letter => separator + letter.toLowerCase());
}

/** `logLevel` → `--log-level`. */
export function flagOf(name: string): string {
  return `--${split(name, '-')}`;
}

export const ENV_PREFIX = 'COUNTERSIGN_';

/** `logLevel` → `COUNTERSIGN_LOG_LEVEL`. */
export function variableOf(name: string): string {
  return ENV_PREFIX + split(name, '_').toUpperCase();
}
