// The two kinds of failure of the world: one that trying again may cure, one that only a changed object can. Every error of
// the API server becomes one of them, once, in the kube client; an expected "no" is a value and never comes here.

/** Why trying again may help. `unknown` is for whatever nobody has classified: the default is to retry. */
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

/** Why trying again cannot help until the object (or our request) changes. */
export type TerminalCode = 'invalid' | 'not-found' | 'already-exists' | 'bad-request' | 'too-large';

export interface RetryableErrorOptions {
  readonly code: RetryableCode;
  /** How long the server asked to be left alone (Retry-After), in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export interface TerminalErrorOptions {
  readonly code: TerminalCode;
  readonly cause?: unknown;
}

/** Node prints no `cause: undefined` when the option is left out altogether. */
function causeOf(options: { readonly cause?: unknown }): ErrorOptions | undefined {
  return options.cause === undefined ? undefined : { cause: options.cause };
}

/** The world failed in a way that may pass: try again, not before `retryAfterMs`, with backoff and jitter. */
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

/** The same request will fail for ever; only a changed object brings another answer. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code: TerminalCode;

  constructor(message: string, options: TerminalErrorOptions) {
    super(message, causeOf(options));
    this.code = options.code;
  }
}

/** For a question about other things than the object at hand: whatever the answer's failure, asking again may help. */
export function asRetryableError(thrown: unknown): RetryableError {
  const error = asClassifiedError(thrown);
  return error instanceof RetryableError ? error : new RetryableError(error.message, { code: 'unknown', cause: error });
}

export function isClassified(thrown: unknown): thrown is RetryableError | TerminalError {
  return thrown instanceof RetryableError || thrown instanceof TerminalError;
}

/** Gives whatever was thrown as one of the two classes; what nobody has classified is retryable, with code `unknown`. */
export function asClassifiedError(thrown: unknown): RetryableError | TerminalError {
  if (isClassified(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryableError(message, { code: 'unknown', cause: thrown });
}
