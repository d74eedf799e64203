// Limits the cost of request bodies until they are parsed: a timeout for each, and a memory budget for all together.
// Never reads a body.

import type { IncomingMessage, ServerResponse } from 'node:http';

export interface BodyLimits {
  /** Maximum size of one body. */
  readonly bytes: number;
  /** Budget for all bodies that are in transit or wait to be parsed; a large body that would exceed it is rejected. */
  readonly totalBytes: number;
  /** Bodies up to this size are always admitted; the connection limit bounds their number. */
  readonly smallBytes: number;
  /** From the end of the headers to the end of the body. */
  readonly timeoutMs: number;
}

export class BodyGate {
  readonly #limits: BodyLimits;
  readonly #sizes = new WeakMap<IncomingMessage, number>();
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /**
   * Whether the body fits the budget. Admitted or not, its connection is closed if the body does not arrive in time.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { totalBytes, smallBytes } = this.#limits;
    this.#limitTime(request);
    const size = this.#sizeOf(request);
    if (size > smallBytes && this.#bytes + size > totalBytes) return false;
    this.#bytes += size;
    this.#sizes.set(request, size);
    // For bodies that are never parsed, because of their type or size.
    response.once('close', () => this.release(request));
    return true;
  }

  /** Call when the text of the body is no longer needed. */
  release(request: IncomingMessage): void {
    this.#bytes -= this.#sizes.get(request) ?? 0;
    this.#sizes.delete(request);
  }

  #limitTime(request: IncomingMessage): void {
    const { timeoutMs } = this.#limits;
    const { socket } = request;
    const timer = setTimeout(
      () => request.destroy(new Error(`request body not received within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', stop);
    };
    request.once('end', stop).once('close', stop);
    // A request whose body is discarded emits neither event.
    socket.once('close', stop);
  }

  /**
   * At most `bytes` are ever read, and a chunked body may be that long. A body always has one of these headers (RFC
   * 9112, section 6.3).
   */
  #sizeOf({ headers }: IncomingMessage): number {
    const { bytes } = this.#limits;
    if (headers['transfer-encoding'] !== undefined) return bytes;
    return Math.min(Number(headers['content-length'] ?? 0), bytes);
  }
}
