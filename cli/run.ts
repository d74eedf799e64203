// Finds the command of a command line and runs it; turns every error into a message with advice and an exit code. Never
// exits.

import { isClassified } from '@countersign/common/runtime/errors.ts';
import type { Command } from './arguments/command.ts';
import { formatHelp, formatOverview } from './arguments/help.ts';
import { parseArguments } from './arguments/parse.ts';
import { CliError, usageError } from './cli-error.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Io } from './terminal/io.ts';
import { safeLines, safeText } from './terminal/safe-text.ts';
import { VERSION } from './version.ts';

export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    io.progress('');
    return report(error, io);
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return print(io, overviewOf(rest));
  if (name === '--version') return print(io, `${VERSION}\n`);
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

function report(error: unknown, io: Io): ExitCode {
  const { message, advice, code } = toCliError(error);
  io.err(`${io.style.bad('error:')} ${safeLines(message)}\n${advice === '' ? '' : `${safeLines(advice)}\n`}`);
  return code;
}

function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  // A request without a response: the message has the advice.
  if (isClassified(error))
    return new CliError(error.message, 'Check that the API server of this context can be reached.');
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(message, 'This is unexpected. Please report it with the command that you ran.');
}
