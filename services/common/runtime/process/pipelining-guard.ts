// Allows one request at a time on a connection: HTTP/1.1 allows a client to send more before it has a response
// (pipelining), and so to have hundreds in progress at once. No client of these servers does so. Answers nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class PipeliningGuard {
  readonly #last = new WeakMap<Socket, ServerResponse>();

  /** Whether to answer the request. If not, the previous one is not answered yet, and their connection is closed. */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // Not `writableFinished`: a client may have the end of a response before this process knows that it was sent.
    const isFree = this.#last.get(socket)?.writableEnded ?? true;
    if (isFree) this.#last.set(socket, response);
    else socket.destroy();
    return isFree;
  }
}
