// In which order TLS handshakes begin: one for each turn of the event loop, and callers' addresses in rotation, so that a flood of
// new connections holds up neither admissions nor the handshake of a caller from elsewhere. Never reads what is sent.

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AddressRotation } from '../address-rotation.ts';

export interface HandshakeTurnsOptions {
  /** Begins the handshake. What the caller sent so far is still in the socket's buffer. */
  readonly begin: (socket: Socket) => void;
  /** Called for a connection that ends before its handshake begins; `code` as Node has it for one that ends later. */
  readonly fail: (error: Error & { readonly code: string }) => void;
  /** How long a caller may send nothing. */
  readonly timeoutMs: number;
}

export class HandshakeTurns {
  readonly #options: HandshakeTurnsOptions;
  readonly #waiting = new AddressRotation<() => void>();
  #isRunning = false;

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options;
  }

  /** Takes a connection that was just accepted. It waits for its turn only once the caller has sent something. */
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
      fail(Object.assign(new Error('the connection ended before the handshake'), { code }));
    };
    // After an error comes `close`, which is what counts.
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
      // The signature, which is what costs, is behind it then, and whatever has arrived meanwhile goes first.
      await nextTurn();
    }
    this.#isRunning = false;
  }
}
