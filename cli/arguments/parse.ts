// Parses the arguments of one command by its table of flags. Every mistake is a usage error that names the argument.

import { parseArgs } from 'node:util';
import { type CliError, usageError } from '../cli-error.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Flags } from './flag.ts';

/** The flags and the names of one command line. */
export class Arguments {
  /** Arguments that are not flags. */
  readonly names: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(names: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.names = names;
    this.#values = values;
  }

  /** The last value that was given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/** Throws a usage error. `command` is for its advice. */
export function parseArguments(flags: Flags, argv: readonly string[], command: string): Arguments {
  const values = new Map<string, readonly string[]>();
  const names: string[] = [];
  const refuse = (message: string) => usageError(message, `Run kubectl countersign ${command} --help.`);
  for (const token of tokensOf(flags, argv)) {
    if (token.kind === 'positional') names.push(token.value);
    if (token.kind !== 'option') continue;
    const value = valueOf(flags, token, refuse);
    values.set(token.name, [...(values.get(token.name) ?? []), value]);
  }
  return new Arguments(names, values);
}

function tokensOf(flags: Flags, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short !== undefined && { short }) },
    ]),
  );
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

interface Given {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function valueOf(
  flags: Flags,
  { name, rawName, value, inlineValue }: Given,
  refuse: (message: string) => CliError,
): string {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) throw refuse(`unknown flag ${safeText(rawName)}`);
  if (flag.value === undefined) {
    if (value !== undefined) throw refuse(`${rawName} has no value`);
    return '';
  }
  // A value that begins with dashes can be given with `=`.
  const isMissing = value === undefined || (value.startsWith('--') && inlineValue !== true);
  if (isMissing) throw refuse(`${rawName} requires a value`);
  if (flag.values !== undefined && !flag.values.includes(value)) {
    throw refuse(`${rawName} must be one of: ${flag.values.join(', ')}; it is "${safeText(value)}"`);
  }
  return value;
}
