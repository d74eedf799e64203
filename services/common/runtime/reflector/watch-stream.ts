// Reads the body of a watch as it arrives, and parses each event once. An ERROR event, invalid bytes and a broken
// stream become classified errors; never interprets events.

import { asClassifiedError } from '../errors.ts';
import {
  type ApiCall,
  errorFromInvalidResponse,
  errorFromTransport,
  errorFromWatchEvent,
} from '../kube/kube-errors.ts';

/** One event of a watch; `object` is the plain JSON of the API. ERROR is thrown by `watch`, never yielded. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** The format of a watch: how to split its bytes into events, and how to parse one, which may throw. */
export interface WatchFormat {
  readonly cut: (call: ApiCall, chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;
  readonly parse: (bytes: Buffer) => unknown;
}

/** Newline-delimited JSON. */
export const JSON_LINES: WatchFormat = { cut: splitLines, parse: line => JSON.parse(line.toString('utf8')) };

/** Far above the largest object that etcd accepts (1.5 MiB); anything longer is not an event of Kubernetes. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const EVENT_TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/**
 * Yields each line without its newline, and skips empty lines; linear in the bytes, however they are split. Splitting
 * at the newline byte is safe: in UTF-8 it never occurs inside a character.
 */
async function* splitLines(call: ApiCall, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (!isEmpty(line)) yield line;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_EVENT_BYTES) throw errorFromInvalidResponse(call, 'a watch line exceeds the maximum size');
  }
  if (pendingBytes > 0) throw errorFromInvalidResponse(call, 'the watch ended in the middle of a line');
}

function isEmpty(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === CARRIAGE_RETURN);
}

function parseEvent(call: ApiCall, format: WatchFormat, bytes: Buffer): WatchEvent {
  const event = parse(call, format, bytes);
  const hasShape = typeof event === 'object' && event !== null && 'type' in event && 'object' in event;
  if (!hasShape || !EVENT_TYPES.has(event.type)) throw errorFromInvalidResponse(call, 'invalid watch event');
  if (event.type === 'ERROR') throw errorFromWatchEvent(call, event.object);
  return event as WatchEvent;
}

function parse(call: ApiCall, format: WatchFormat, bytes: Buffer): unknown {
  try {
    return format.parse(bytes);
  } catch (cause) {
    throw errorFromInvalidResponse(call, 'cannot decode a watch event', cause);
  }
}

/** Yields the events of a watch until its body ends. Throws RetryableError or TerminalError for everything else. */
export async function* readWatchEvents(
  call: ApiCall,
  body: AsyncIterable<Buffer>,
  format: WatchFormat,
): AsyncGenerator<WatchEvent> {
  try {
    for await (const bytes of format.cut(call, body)) yield parseEvent(call, format, bytes);
  } catch (error) {
    const classified = asClassifiedError(error);
    throw classified === error ? error : errorFromTransport(call, error);
  }
}
