// The two classes of I/O errors: one that a retry may fix, and one that only a changed object can. The kube client
// turns every error of the API server into one of them; an expected "no" is a value, not an error.

/** Why a retry may help. `unknown` is for unclassified errors: the default is to retry. */
export type RetryableCode =
  | 'conflict'
  | 'forbidden'
  | 'unauthorized'
  | 'throttled'
  | 'server'
  | 'network'
  | 'timeout'
  | 'gone'
  | 'unknown';

/** Why a retry cannot help until the object (or our request) changes. */
export type TerminalCode = 'invalid' | 'not-found' | 'already-exists' | 'bad-request' | 'too-large';

export interface RetryableErrorOptions {
  readonly code: RetryableCode;
  /** The server's Retry-After, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export interface TerminalErrorOptions {
  readonly code: TerminalCode;
  readonly cause?: unknown;
}

/** Node prints no `cause: undefined` if the option is omitted. */
function causeOf(options: { readonly cause?: unknown }): ErrorOptions | undefined {
  return options.cause === undefined ? undefined : { cause: options.cause };
}

/** A failure that may pass: retry, not before `retryAfterMs`, with backoff and jitter. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly code: RetryableCode;
  readonly retryAfterMs?: number;

  constructor(message: string, options: RetryableErrorOptions) {
    super(message, causeOf(options));
    this.code = options.code;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** The same request will always fail; only a changed object gives another result. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code: TerminalCode;

  constructor(message: string, options: TerminalErrorOptions) {
    super(message, causeOf(options));
    this.code = options.code;
  }
}

/** For a request about another object than the one at hand: whatever the failure, a retry may help. */
export function asRetryableError(thrown: unknown): RetryableError {
  const error = asClassifiedError(thrown);
  return error instanceof RetryableError ? error : new RetryableError(error.message, { code: 'unknown', cause: error });
}

export function isClassified(thrown: unknown): thrown is RetryableError | TerminalError {
  return thrown instanceof RetryableError || thrown instanceof TerminalError;
}

/** Converts anything thrown to one of the two classes; an unclassified error is retryable, with code `unknown`. */
export function asClassifiedError(thrown: unknown): RetryableError | TerminalError {
  if (isClassified(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryableError(message, { code: 'unknown', cause: thrown });
}
