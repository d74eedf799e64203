// The command line of the programs outside the services: a mistake ends the program with one message, the help command
// and exit code 2.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The options of every program: `-h` and `--help`. */
export const HELP_OPTION = { type: 'boolean', short: 'h', default: false } as const;

/** Parses the arguments of this process. `help` is the command that prints the usage. */
export function readCommandLine<const Options extends ParseArgsConfig>(
  help: string,
  options: Options,
): ReturnType<typeof parseArgs<Options>> {
  try {
    return parseArgs<Options>(options);
  } catch (error) {
    const mistake = explainParseError(error);
    if (mistake === undefined) throw error;
    return endWithMistake(mistake, help);
  }
}

export function endWithMistake(mistake: string, help: string): never {
  process.stderr.write(`${mistake}\nRun ${help} for usage.\n`);
  process.exit(2);
}

/** Node's texts, which quote, explain `--` and span several lines, in one line; undefined for other errors. */
function explainParseError(error: unknown): string | undefined {
  if (!(error instanceof TypeError)) return undefined;
  const [, quoted = ''] = /'([^']*)'/.exec(error.message) ?? [];
  // `-h, --help`, or `--dir <value>`.
  const option = /--[^ ,]+/.exec(quoted)?.[0] ?? quoted;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `Unknown option ${option}`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return error.message.includes('does not take') ? `${option} takes no value` : `${option}: missing value`;
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `Unexpected argument "${quoted}"`;
    default:
      return undefined;
  }
}
