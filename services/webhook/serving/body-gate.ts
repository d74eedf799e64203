// What the bodies under way may cost: time for each, and memory for all of them in one budget, until they are parsed. Never reads a
// body.

import type { IncomingMessage, ServerResponse } from 'node:http';

export interface BodyLimits {
  /** For one body. */
  readonly bytes: number;
  /** For all bodies that are under way or wait to be parsed: while they take more, no large one is admitted. */
  readonly totalBytes: number;
  /** Up to this size a body is always admitted; how many there can be is bounded by the number of connections. */
  readonly smallBytes: number;
  /** From the end of the headers to that of the body. */
  readonly timeoutMs: number;
}

export class BodyGate {
  readonly #limits: BodyLimits;
  readonly #sizes = new WeakMap<IncomingMessage, number>();
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Whether there is room for the body. Admitted or not, its connection ends when it does not come in time. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { totalBytes, smallBytes } = this.#limits;
    this.#limitTime(request);
    const size = this.#sizeOf(request);
    if (size > smallBytes && this.#bytes + size > totalBytes) return false;
    this.#bytes += size;
    this.#sizes.set(request, size);
    // Of a body that is never parsed, being of another type or too large.
    response.once('close', () => this.release(request));
    return true;
  }

  /** The text of the body is needed no longer. */
  release(request: IncomingMessage): void {
    this.#bytes -= this.#sizes.get(request) ?? 0;
    this.#sizes.delete(request);
  }

  #limitTime(request: IncomingMessage): void {
    const { timeoutMs } = this.#limits;
    const { socket } = request;
    const timer = setTimeout(() => request.destroy(new Error(`no whole body within ${timeoutMs / 1000} s`)), timeoutMs);
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', stop);
    };
    request.once('end', stop).once('close', stop);
    // A request whose body is dropped as it comes tells neither.
    socket.once('close', stop);
  }

  /** More than `bytes` is never read; in chunks, that much may come. No body has neither header (RFC 9112, section 6.3). */
  #sizeOf({ headers }: IncomingMessage): number {
    const { bytes } = this.#limits;
    if (headers['transfer-encoding'] !== undefined) return bytes;
    return Math.min(Number(headers['content-length'] ?? 0), bytes);
  }
}
