// Starts one TLS handshake per turn of the event loop, round-robin by address, so that a flood of new connections
// delays neither admissions nor handshakes from other addresses. Never reads the data.

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RoundRobinQueue } from '../round-robin-queue.ts';

export interface HandshakeTurnsOptions {
  /** Starts the handshake. The data received so far is still in the socket's buffer. */
  readonly begin: (socket: Socket) => void;
  /**
   * Called for a connection that closes before its handshake starts; `code` is the one that Node uses when it
   * closes later.
   */
  readonly fail: (error: Error & { readonly code: string }) => void;
  /** How long to wait for a caller's first bytes. */
  readonly timeoutMs: number;
}

export class HandshakeQueue {
  readonly #options: HandshakeTurnsOptions;
  readonly #waiting = new RoundRobinQueue<() => void>();
  #isRunning = false;

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options;
  }

  /** Adds a connection that was just accepted. It joins the queue only after the caller has sent something. */
  add(socket: Socket): void {
    const { begin, fail, timeoutMs } = this.#options;
    const source = socket.remoteAddress ?? '';
    let code = 'ECONNRESET';
    const start = () => {
      socket.setTimeout(0).off('close', end);
      begin(socket);
    };
    const end = () => {
      this.#waiting.delete(source, start);
      fail(Object.assign(new Error('connection closed before the TLS handshake'), { code }));
    };
    // `close` follows every error, and is handled.
    socket.on('error', () => undefined).once('close', end);
    socket.setTimeout(timeoutMs, () => {
      code = 'ERR_TLS_HANDSHAKE_TIMEOUT';
      socket.destroy();
    });
    socket.once('readable', () => {
      if (socket.readableLength === 0) return void socket.destroy();
      this.#waiting.add(source, start);
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let start = this.#waiting.take(); start !== undefined; start = this.#waiting.take()) {
      start();
      // By then the expensive signature is done, and data that arrived meanwhile is processed first.
      await nextTurn();
    }
    this.#isRunning = false;
  }
}
