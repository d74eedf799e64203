// Decodes the API server's binary format (application/vnd.kubernetes.protobuf): the envelope of every object, the
// frames of a watch, and Status. The caller describes the objects of its resource; the result has the shape of the
// JSON API.

import { formatTime } from '../../csr.ts';
import { MAX_EVENT_BYTES, type WatchFormat } from '../reflector/watch-stream.ts';
import { type ApiCall, errorFromInvalidResponse } from './kube-errors.ts';
import { ProtobufError, ProtobufReader } from './protobuf/protobuf.ts';
import {
  type Field,
  type Fields,
  int32,
  int64,
  message,
  readMessage,
  repeated,
  text,
} from './protobuf/protobuf-message.ts';

/** A resource that is requested in protobuf (ADR 11). */
export interface ProtobufResource {
  /** The paths whose requests use protobuf: the collection and the objects in it. */
  readonly paths: RegExp;
  /** Decodes one message of each kind that is returned at these paths, lists included. */
  readonly kinds: Readonly<Record<string, (message: ProtobufReader) => unknown>>;
}

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Prefix of every object in this format (k8s.io/apimachinery pkg/runtime/serializer/protobuf). */
const MAGIC = Buffer.from('k8s\0');

const LENGTH_BYTES = 4;

const TYPE_META: Fields = { 2: text('kind') };

/** metav1.Status, the fields that errors use. */
const STATUS: Fields = {
  3: text('message'),
  4: text('reason'),
  5: message('details', {
    4: repeated('causes', name => message(name, { 1: text('reason'), 3: text('field') })),
    5: seconds('retryAfterSeconds'),
  }),
  6: int32('code'),
};

/** Go writes 0 if the server does not ask for a wait. */
function seconds(name: string): Field {
  return (reader, into) => {
    const value = reader.int32();
    if (value > 0) into[name] = value;
  };
}

const TIME: Fields = { 1: int64('seconds') };

/** The years 0 to 9999, the range of RFC 3339. */
const FIRST_SECOND = Date.parse('0000-01-01T00:00:00Z') / 1000;
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** metav1.Time, in its JSON form. */
export function time(name: string): Field {
  return (reader, into) => {
    const bytes = reader.bytes();
    // Go writes the zero time as an empty message.
    if (bytes.length === 0) return void delete into[name];
    const { seconds: value = 0 } = readMessage(new ProtobufReader(bytes), TIME);
    into[name] = formatSecond(Number(value));
  };
}

function formatSecond(second: number): string {
  const isWritable = second >= FIRST_SECOND && second <= LAST_SECOND;
  if (!isWritable) throw new ProtobufError('time out of range');
  return formatTime(new Date(second * 1000));
}

/**
 * Decodes one object in its envelope (runtime.Unknown). Throws a ProtobufError for anything else, and for
 * unexpected kinds.
 */
export function decodeObject(bytes: Buffer, kinds: ProtobufResource['kinds']): unknown {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new ProtobufError('not a Kubernetes object');
  const envelope = new ProtobufReader(bytes, MAGIC.length);
  const typeMeta: Record<string, unknown> = {};
  let raw = new ProtobufReader(bytes, 0, 0);
  for (let field = envelope.next(); field !== 0; field = envelope.next()) {
    if (field === 1) readMessage(envelope.message(), TYPE_META, typeMeta);
    else if (field === 2) raw = envelope.message();
    else envelope.skip();
  }
  const kind = String(typeMeta['kind']);
  if (kind === 'Status') return readMessage(raw, STATUS);
  if (!Object.hasOwn(kinds, kind)) throw new ProtobufError(`unexpected kind "${kind}"`);
  return kinds[kind]?.(raw);
}

/** A watch in protobuf: frames, each a metav1.WatchEvent with an object (runtime.RawExtension) in its envelope. */
export function watchFrames(kinds: ProtobufResource['kinds']): WatchFormat {
  const extension: Fields = {
    1: (reader, into) => {
      into['object'] = decodeObject(reader.bytes(), kinds);
    },
  };
  const event: Fields = {
    1: text('type'),
    2: (reader, into) => void readMessage(reader.message(), extension, into),
  };
  return { cut: splitFrames, parse: frame => readMessage(new ProtobufReader(frame), event) };
}

/**
 * Yields each frame of a watch without its length (4 octets, big-endian); linear in the bytes, however they are split.
 */
async function* splitFrames(call: ApiCall, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    pending.push(chunk);
    size += chunk.length;
    // The length itself may be split.
    if (pending[0] !== undefined && pending[0].length < LENGTH_BYTES) pending = [Buffer.concat(pending)];
    if (size < frameLength(call, pending[0], 0)) continue;
    const bytes = Buffer.concat(pending);
    let at = 0;
    for (let end = frameLength(call, bytes, 0); end <= size; end = at + frameLength(call, bytes, at)) {
      yield bytes.subarray(at + LENGTH_BYTES, end);
      at = end;
    }
    pending = [bytes.subarray(at)];
    size -= at;
  }
  if (size > 0) throw errorFromInvalidResponse(call, 'the watch ended in the middle of an event');
}

/** The bytes of the frame at `at`, including its length; infinite while the length is incomplete. */
function frameLength(call: ApiCall, bytes: Buffer | undefined, at: number): number {
  if (bytes === undefined || at + LENGTH_BYTES > bytes.length) return Number.POSITIVE_INFINITY;
  const length = bytes.readUInt32BE(at);
  if (length > MAX_EVENT_BYTES) throw errorFromInvalidResponse(call, 'a watch event exceeds the maximum object size');
  return LENGTH_BYTES + length;
}
