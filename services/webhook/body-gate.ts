// What the bodies under way may cost: time for each, and memory for all of them in one budget. Never reads a body.

import type { IncomingMessage } from 'node:http';

export interface BodyLimits {
  /** For one body. */
  readonly bytes: number;
  /** For all bodies that are under way: while they take more, no large one is admitted. */
  readonly totalBytes: number;
  /** Up to this size a body is always admitted; how many there can be is bounded by the number of connections. */
  readonly smallBytes: number;
  /** From the end of the headers to that of the body. */
  readonly timeoutMs: number;
}

export class BodyGate {
  readonly #limits: BodyLimits;
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Whether there is room for the body. Admitted or not, its connection ends when it does not come in time. */
  admit(request: IncomingMessage): boolean {
    const { totalBytes, smallBytes, timeoutMs } = this.#limits;
    const announced = this.#sizeOf(request);
    const isAdmitted = announced <= smallBytes || this.#bytes + announced <= totalBytes;
    const size = isAdmitted ? announced : 0;
    this.#bytes += size;
    const timer = setTimeout(() => request.destroy(new Error(`no whole body within ${timeoutMs / 1000} s`)), timeoutMs);
    const leave = () => {
      clearTimeout(timer);
      this.#bytes -= size;
      request.off('end', leave).off('close', leave);
    };
    request.once('end', leave).once('close', leave);
    return isAdmitted;
  }

  /** More than `bytes` is never read; in chunks, that much may come. No body has neither header (RFC 9112, section 6.3). */
  #sizeOf({ headers }: IncomingMessage): number {
    const { bytes } = this.#limits;
    if (headers['transfer-encoding'] !== undefined) return bytes;
    return Math.min(Number(headers['content-length'] ?? 0), bytes);
  }
}
