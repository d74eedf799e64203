// What a service does with its command line: prints help, mistakes or its configuration, or runs; and what it prints if
// it fails. Never exits.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { ConfigurationError } from '../configuration-error.ts';
import { type Config, type OptionTable, type Program, printableConfig, readCommandLine } from '../options/config.ts';

/** Returns the exit code; that of `run` if the service runs. */
export async function runProgram<Table extends OptionTable>(
  program: Program<Table>,
  run: (config: Config<Table>) => Promise<number>,
): Promise<number> {
  const command = readCommandLine(program);
  switch (command.action) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'refuse':
      process.stderr.write(`${command.mistakes.join('\n')}\n`);
      return 2;
    case 'check-config':
      process.stdout.write(`${JSON.stringify(printableConfig(program.options, command.config), null, 2)}\n`);
      return 0;
    case 'run':
      return run(command.config);
  }
}

/** Prints why a service ends, after the lines that it logged before (log.ts). */
export async function reportFailure(service: string, error: unknown): Promise<void> {
  await nextTurn();
  process.stderr.write(describeFailure(service, error));
}

/** One line for what the operator can fix; an unexpected error keeps its stack. */
export function describeFailure(service: string, error: unknown): string {
  return `${service}: ${error instanceof ConfigurationError ? error.message : inspect(error)}\n`;
}
