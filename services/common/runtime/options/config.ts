// Reads the configuration of a service from flags and environment, by a table of options: validated as a whole, frozen,
// with all mistakes at once. The only file that reads argv and the environment; never decides what an option means.

import { err, ok, type Result } from '../../result.ts';
import { type Environment, type Given, readFlags, readVariables } from './option-source.ts';
import { type Config, defineOptions, flagOf, type Option, type OptionTable, variableOf } from './option-table.ts';
import { defaultOf, parseOption } from './option-value.ts';

export { type Config, defineOptions, type Environment, type OptionTable };

/** The action that the command line requests. */
export type CommandLine<Table extends OptionTable> =
  | { readonly action: 'run' | 'check-config'; readonly config: Config<Table> }
  | { readonly action: 'help'; readonly text: string }
  | { readonly action: 'refuse'; readonly mistakes: readonly string[] };

const CHECK_CONFIG = '--check-config';

/** A service and its options. */
export interface Program<Table extends OptionTable> {
  readonly service: string;
  readonly options: Table;
  /** Mistakes in the combination of valid options. */
  readonly findMistakes: (config: Config<Table>) => readonly string[];
}

/** Reads the command line of this process: `--help`, `--check-config`, or a configuration to run with. */
export function readCommandLine<Table extends OptionTable>(
  { service, options, findMistakes }: Program<Table>,
  argv: readonly string[] = process.argv.slice(2),
  env: Environment = process.env,
): CommandLine<Table> {
  if (argv.includes('--help')) return { action: 'help', text: formatHelp(options, service) };
  const flags = argv.filter(argument => argument !== CHECK_CONFIG);
  const parsed = parseConfig(options, flags, env);
  const mistakes = parsed.ok ? findMistakes(parsed.value) : parsed.error;
  if (!parsed.ok || mistakes.length > 0) return { action: 'refuse', mistakes };
  return { action: flags.length < argv.length ? 'check-config' : 'run', config: parsed.value };
}

/** Parses flags and environment; a flag takes precedence over its variable. The error has one text for each mistake. */
export function parseConfig<Table extends OptionTable>(
  table: Table,
  argv: readonly string[],
  env: Environment,
): Result<Config<Table>, string[]> {
  const flags = readFlags(table, argv);
  const variables = readVariables(table, env);
  const mistakes = [...flags.mistakes, ...variables.mistakes];
  const config: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const value = readOption(name, option, flags.given.get(name) ?? variables.given.get(name));
    if (value.ok) config[name] = value.value;
    else mistakes.push(value.error);
  }
  // The only cast: each value was parsed by the kind of its option, from which Config takes its type.
  return mistakes.length > 0 ? err(mistakes) : ok(Object.freeze(config) as Config<Table>);
}

function readOption(name: string, option: Option, given: Given | undefined): Result<unknown> {
  const value = given ? parseOption(option, given.text) : defaultOf(option);
  if (value?.ok) return value;
  const mistake = value?.error ?? `required; use ${flagOf(name)}=<${option.kind}> or set ${variableOf(name)}`;
  return err(`${given?.where ?? flagOf(name)}: ${mistake}`);
}

/** The configuration for printing: secrets are redacted. */
export function printableConfig<Table extends OptionTable>(
  table: Table,
  config: Config<Table>,
): Record<string, unknown> {
  const printable = (name: string, value: unknown) => (table[name]?.secret && value !== '' ? '[redacted]' : value);
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, printable(name, value)]));
}

/** The text of `--help`. */
export function formatHelp(table: OptionTable, service: string): string {
  const options = Object.entries(table).map(([name, option]) => formatOption(name, option));
  return [
    `Usage: ${service} [--<flag>=<value> ...]`,
    'Each flag can also be set by its environment variable; the flag takes precedence.',
    ...options,
    `  ${CHECK_CONFIG}\n      Validate the configuration, print it and exit.`,
    '  --help\n      Print this help and exit.\n',
  ].join('\n\n');
}

function formatOption(name: string, option: Option): string {
  const kind = option.kind === 'enum' ? option.values.join('|') : option.kind;
  const value =
    option.default === undefined ? 'required' : `default: ${option.default === '' ? 'none' : option.default}`;
  return `  ${flagOf(name)}=<${kind}>\n      ${option.help}\n      ${variableOf(name)}; ${value}.`;
}
