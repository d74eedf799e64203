// An error that the user sees: what happened to what, what to do, and the exit code. Pure.

import { EXIT, type ExitCode } from './exit-code.ts';

export interface CliErrorOptions {
  readonly code?: ExitCode;
  readonly cause?: unknown;
}

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly advice: string;
  readonly code: ExitCode;

  constructor(message: string, advice: string, { code = EXIT.failure, cause }: CliErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.advice = advice;
    this.code = code;
  }
}

export function usageError(message: string, advice: string): CliError {
  return new CliError(message, advice, { code: EXIT.usage });
}
