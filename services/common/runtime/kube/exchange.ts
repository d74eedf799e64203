// One request over an undici dispatcher and its complete response, within a time limit. Avoids the stream and the
// AbortSignal that undici's own request() creates for each response, which is a few kilobytes here. Never judges
// the status.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Bytes of one response of the API server: twice as much as 2 500 CSRs of a common size. Objects may be large, and no
 * one may choose how large.
 */
const MAX_BYTES = 16 * 1024 * 1024;

/** The response was aborted for its size; asking for less may help. */
export class ResponseTooLargeError extends Error {
  override readonly name = 'ResponseTooLargeError';

  constructor(maxBytes: number) {
    super(`the response is larger than ${maxBytes} bytes`);
  }
}

export interface Limits {
  /** From now to the last byte of the response, including the wait for a connection. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Bytes of the response's body; the default suits the API server. */
  readonly maxBytes?: number;
  /** Called when the request is about to be written to its connection; false cancels it. */
  readonly mayStart?: () => boolean;
}

/** The request was not sent: it was no longer wanted when its connection was ready. */
export class NotStartedError extends Error {
  override readonly name = 'NotStartedError';

  constructor() {
    super('not sent: leadership was lost while the request waited');
  }
}

/** No complete response in time: the connection may be dead, and others too. */
export class ResponseTimeoutError extends Error {
  override readonly name = 'TimeoutError';

  constructor(timeoutMs: number) {
    super(`no complete response within ${timeoutMs / 1000} s`);
  }
}

/** Rejects with the error of the connection, with a ResponseTimeoutError, or with the signal's reason. */
export function exchange(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, limits: Limits): Promise<Answer> {
  const { timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    const collector = new Collector(resolve, reject, limits);
    const timer = setTimeout(() => collector.fail(new ResponseTimeoutError(timeoutMs)), timeoutMs);
    const onAbort = () => collector.fail(signal?.reason as Error);
    collector.onSettled = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort);
    dispatcher.dispatch(options, collector);
  });
}

class Collector implements Dispatcher.DispatchHandler {
  onSettled: () => void = () => undefined;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #mayStart: Limits['mayStart'];
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #statusCode = 0;
  #headers: IncomingHttpHeaders = {};
  #bytes = 0;

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void, limits: Limits) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#mayStart = limits.mayStart;
    this.#maxBytes = limits.maxBytes ?? MAX_BYTES;
  }

  /** Rejects at once, and aborts the connection as soon as there is one. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#chunks.length = 0;
    this.onSettled();
    this.#reject(error);
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#mayStart?.() === false) this.fail(new NotStartedError());
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.fail(new ResponseTooLargeError(this.#maxBytes));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.onSettled();
    this.#resolve({ statusCode: this.#statusCode, headers: this.#headers, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }
}
