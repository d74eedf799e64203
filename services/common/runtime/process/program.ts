// What a service does with its command line: prints help, mistakes or its configuration, or runs. Never exits.

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
