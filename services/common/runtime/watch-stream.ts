// Reads the body of a watch: newline-delimited JSON, decoded as the bytes come, each line parsed once. An ERROR event, a
// line that is no event and a broken stream become classified errors; what the events mean is not known here.

import { asClassifiedError } from './errors.ts';
import type { WatchEvent } from './kube-client.ts';
import { type ApiCall, errorFromGarbage, errorFromTransport, errorFromWatchEvent } from './kube-errors.ts';

/** Far above the largest object that etcd takes (1.5 MiB); a longer line is no watch of Kubernetes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

const EVENT_TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/**
 * Yields each line without its newline, empty lines left out; linear in the bytes, however they are cut. Cutting at the
 * newline byte is safe: in UTF-8 it never occurs inside a character.
 */
async function* splitLines(call: ApiCall, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) throw errorFromGarbage(call, 'a line of the watch never ends');
  }
  if (pendingBytes > 0) throw errorFromGarbage(call, 'the watch ended in the middle of a line');
}

function parseEvent(call: ApiCall, line: string): WatchEvent {
  const event = parseLine(call, line);
  const hasShape = typeof event === 'object' && event !== null && 'type' in event && 'object' in event;
  if (!hasShape || !EVENT_TYPES.has(event.type)) throw errorFromGarbage(call, 'a line of the watch is no event');
  if (event.type === 'ERROR') throw errorFromWatchEvent(call, event.object);
  return event as WatchEvent;
}

function parseLine(call: ApiCall, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw errorFromGarbage(call, 'a line of the watch is not JSON', cause);
  }
}

/** Yields the events of a watch until its body ends. Throws RetryableError or TerminalError for everything else. */
export async function* readWatchEvents(call: ApiCall, body: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of splitLines(call, body)) yield parseEvent(call, line);
  } catch (error) {
    const classified = asClassifiedError(error);
    throw classified === error ? error : errorFromTransport(call, error);
  }
}
