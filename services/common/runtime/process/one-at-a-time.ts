// One request at a time on a connection: HTTP/1.1 allows a caller to send more before it has an answer (pipelining), and to have
// hundreds worked on at once. No client of these servers does so. Answers nothing itself.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class OneAtATime {
  readonly #last = new WeakMap<Socket, ServerResponse>();

  /** Whether the request is to be answered. If not, the one before it is not answered yet, and their connection is closed. */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // Not `writableFinished`: a caller may have the end of an answer before this process knows that it was sent.
    const isFree = this.#last.get(socket)?.writableEnded ?? true;
    if (isFree) this.#last.set(socket, response);
    else socket.destroy();
    return isFree;
  }
}
