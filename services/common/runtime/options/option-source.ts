// Finds the value given for each option, in flags and in environment variables, and every unknown name. Never
// inspects values.

import { parseArgs } from 'node:util';
import { ENV_PREFIX, flagOf, type OptionTable, variableOf } from './option-table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One value as given. */
export interface Given {
  readonly text: string;
  /** The flag or the variable, as the user writes it. */
  readonly where: string;
}

/** Values by option name, and one text for each mistake. */
export interface Source {
  readonly given: ReadonlyMap<string, Given>;
  readonly mistakes: readonly string[];
}

/** Reads `--flag value` and `--flag=value`; a boolean takes a value only with `=`, as in Go's flag package. */
export function readFlags(table: OptionTable, argv: readonly string[]): Source {
  const names = new Map(Object.keys(table).map(name => [flagOf(name), name]));
  const given = new Map<string, Given>();
  const mistakes: string[] = [];
  for (const token of tokensOf(table, argv)) {
    if (token.kind !== 'option') {
      if (token.kind === 'positional') mistakes.push(`${token.value}: unexpected argument; use --<flag>=<value>`);
      continue;
    }
    const name = names.get(token.rawName);
    if (name === undefined) {
      mistakes.push(`${token.rawName}: unknown flag${suggestFlag(token.rawName, table)}`);
    } else if (given.has(name)) {
      mistakes.push(`${token.rawName}: specified more than once; keep one`);
    } else if (isValueMissing(table, name, token)) {
      mistakes.push(`${token.rawName}: missing value; use ${token.rawName}=<value>`);
    } else {
      given.set(name, { text: token.value ?? 'true', where: token.rawName });
    }
  }
  return { given, mistakes };
}

function tokensOf(table: OptionTable, argv: readonly string[]) {
  const type = (name: string) => (table[name]?.kind === 'boolean' ? 'boolean' : 'string');
  const options = Object.fromEntries(
    Object.keys(table).map(name => [flagOf(name).slice(2), { type: type(name) }] as const),
  );
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

function isValueMissing(
  table: OptionTable,
  name: string,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): boolean {
  if (table[name]?.kind === 'boolean' || token.inlineValue) return false;
  // `--kubeconfig --log-level=debug` lacks a value; a value that begins with dashes can be given with `=`.
  return token.value === undefined || token.value.startsWith('--');
}

/** Reads COUNTERSIGN_<FLAG>, and the alias of an option if its own variable is not set. */
export function readVariables(table: OptionTable, env: Environment): Source {
  const names = new Map(Object.keys(table).map(name => [variableOf(name), name]));
  const given = new Map<string, Given>();
  const mistakes: string[] = [];
  for (const [where, text] of Object.entries(env)) {
    if (text === undefined || !where.startsWith(ENV_PREFIX)) continue;
    const name = names.get(where);
    if (name !== undefined) given.set(name, { text, where });
    else if (!isServiceLink(where))
      mistakes.push(`${where}: unknown environment variable${suggest(where, [...names.keys()])}`);
  }
  return { given: new Map([...readAliases(table, env), ...given]), mistakes };
}

function readAliases(table: OptionTable, env: Environment): Map<string, Given> {
  const aliases = Object.entries(table).flatMap(([name, { alias }]) => {
    const text = alias === undefined ? undefined : env[alias];
    return alias === undefined || text === undefined ? [] : [[name, { text, where: alias }] as const];
  });
  return new Map(aliases);
}

/**
 * The kubelet sets variables like COUNTERSIGN_WEBHOOK_SERVICE_HOST in every pod next to a Service of that name
 * (enableServiceLinks): not a mistake.
 */
function isServiceLink(variable: string): boolean {
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/.test(variable);
}

/** Other programs turn a boolean off with `--no-<flag>`. */
function suggestFlag(flag: string, table: OptionTable): string {
  const names = Object.keys(table);
  const positive = flag.replace(/^--no-/, '--');
  const name = names.find(candidate => flagOf(candidate) === positive);
  if (name === undefined) return suggest(flag, names.map(flagOf));
  return `; did you mean ${positive}${table[name]?.kind === 'boolean' ? '=false' : ''}?`;
}

function suggest(name: string, known: readonly string[]): string {
  const [closest] = known
    .map(candidate => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= Math.max(2, name.length / 4))
    .toSorted((a, b) => a.distance - b.distance);
  return closest === undefined ? '; see --help' : `; did you mean ${closest.candidate}?`;
}

/** Levenshtein's distance: the fewest letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of from.split('').entries()) {
    const next = [line + 1];
    for (const [column, other] of to.split('').entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
