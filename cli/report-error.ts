// Prints an error with its advice, and returns the exit code. Everything in it may come from others, and is made safe.

import { isClassified } from '@countersign/common/runtime/errors.ts';
import { CliError } from './cli-error.ts';
import type { ExitCode } from './exit-code.ts';
import type { Io } from './terminal/io.ts';
import { safeLines } from './terminal/safe-text.ts';

export function reportError(error: unknown, io: Io): ExitCode {
  io.progress('');
  const { message, advice, code } = toCliError(error);
  io.err(`${io.style.bad('error:')} ${safeLines(message)}\n${advice === '' ? '' : `${safeLines(advice)}\n`}`);
  return code;
}

const UNREACHABLE = 'Check that the API server of this context can be reached.';

function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  // Many of these messages end with their advice.
  if (isClassified(error)) return new CliError(error.message, error.message.endsWith(')') ? '' : UNREACHABLE);
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(message, 'This is unexpected. Please report it with the command that you ran.');
}
