// JSON logs on standard output, one object a line: time (ISO 8601), level (word), service, msg and fields. Decides how a
// log line looks, never what is logged.

import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { isClassified } from '../errors.ts';

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
 * it carries along. Not pino's `redact`, which looks at every line: a pair of lines took 26 us with it and 9 without (measured).
 */
const SERIALIZERS = { err: describeError, headers: redact, authorization: redact };

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { type, message, stack, code } = stdSerializers.err(error);
  // What a classified error says is enough, and an outage brings thousands of them.
  if (isClassified(error)) return { type, message: withCause(error), code };
  // One that Node made outside of any JavaScript, as of a failed TLS handshake, has a stack of its message alone.
  return { type, message, ...(/\n\s+at /.test(stack) && { stack }), code };
}

/** Most errors that are classified say themselves what caused them; pino would say it again. */
function withCause({ message, cause }: Error): string {
  const told = cause instanceof Error ? cause.message : '';
  return message.includes(told) ? message : `${message}: ${told}`;
}

function redact(): string {
  return '[redacted]';
}

/** Makes a logger to `destination`; one for the process when that is standard output, lest lines change places. */
export function createLogger({ service, level, destination = createTurnDestination() }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: SERIALIZERS,
  };
  return pino(options, destination);
}

/**
 * To standard output, the lines of one turn of the event loop together, since each write is a system call of some 50 us; at the
 * end of the process, however it ends short of SIGKILL, nothing is left. `flush` is for who cannot wait for the end of the turn:
 * the lines outlive the process then. Not `flushSync`, which also waits for the disk (1.4 ms of 9 from approval to certificate,
 * measured).
 */
function createTurnDestination(): DestinationStream & { flush(): void } {
  const lines = pino.destination({ dest: 1, sync: true, minLength: 8_192 });
  let isDue = false;
  const flush = (): void => {
    if (isDue) lines.flush();
    isDue = false;
  };
  process.on('exit', flush);
  return {
    write: line => {
      lines.write(line);
      if (!isDue) setImmediate(flush);
      isDue = true;
    },
    flush,
  };
}
