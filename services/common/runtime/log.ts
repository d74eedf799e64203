// JSON logs on standard output, one object a line: time (ISO 8601), level (word), service, msg and fields. Decides how a
// log line looks, never what is logged.

import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** Which of the two services is speaking. */
  readonly service: string;
  readonly level: LogLevel;
  /** Where the lines go, for tests; standard output otherwise. */
  readonly destination?: DestinationStream;
}

/**
 * A net under the rule that credentials are not logged: no headers, and of an error no more than what is said here, whatever
 * it carries along. Not pino's `redact`, which looks at every line and doubles its cost (measured).
 */
const SERIALIZERS = { err: describeError, headers: redact, authorization: redact };

function describeError(error: Error): object {
  const { type, message, stack, code } = stdSerializers.err(error);
  return { type, message, stack, code };
}

function redact(): string {
  return '[redacted]';
}

/** Makes a logger that writes each line at once, so that the last words of a dying process are not lost. */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: SERIALIZERS,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
