// Finds the command of a command line and runs it; turns every error into a message with advice and an exit code.
// Never exits.

import type { Command } from './arguments/command.ts';
import { formatHelp, formatOverview } from './arguments/help.ts';
import { parseArguments } from './arguments/parse.ts';
import { usageError } from './cli-error.ts';
import { COMMANDS } from './commands.ts';
import { complete } from './completion/complete.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { reportError } from './report-error.ts';
import type { Io } from './terminal/io.ts';
import { safeText } from './terminal/safe-text.ts';
import { VERSION } from './version.ts';

export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return reportError(error, io);
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return print(io, overviewOf(rest));
  if (name === '--version') return print(io, `${VERSION}\n`);
  if (name === '__complete') return complete(rest, COMMANDS, io);
  const command = findCommand(name);
  const given = parseArguments(command.flags, rest, command.name);
  return given.has('help') ? print(io, formatHelp(command)) : command.run(given, io);
}

function overviewOf([name]: readonly string[]): string {
  return name === undefined ? formatOverview(COMMANDS) : formatHelp(findCommand(name));
}

function findCommand(name: string): Command {
  const command = COMMANDS.find(each => each.name === name);
  if (command !== undefined) return command;
  const known = COMMANDS.map(each => each.name).join(', ');
  const what = name.startsWith('-') ? 'a flag before the command' : 'an unknown command';
  throw usageError(`"${safeText(name)}" is ${what}`, `Write the command first, one of: ${known}.`);
}

function print(io: Io, text: string): ExitCode {
  io.out(text);
  return EXIT.ok;
}
