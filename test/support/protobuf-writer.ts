// Writes protobuf as the API server does, for tests of decoders: fields, objects in their envelope, watch frames.

export type FieldValue = number | string | Buffer;

export function varint(value: number): Buffer {
  const octets: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...octets, rest]);
    octets.push((rest % 128) + 128);
  }
}

/** One field: a number as a varint, text and messages with their length. */
export function field(number: number, value: FieldValue): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function message(...fields: readonly (readonly [number, FieldValue])[]): Buffer {
  return Buffer.concat(fields.map(([number, value]) => field(number, value)));
}

/** runtime.Unknown, after the magic bytes. */
export function envelope(kind: string, raw: Buffer): Buffer {
  const typeMeta = message([1, 'v1'], [2, kind]);
  return Buffer.concat([Buffer.from('k8s\0'), message([1, typeMeta], [2, raw], [3, ''], [4, ''])]);
}

/** metav1.WatchEvent, preceded by its length. */
export function watchFrame(type: string, object: Buffer): Buffer {
  const event = message([1, type], [2, message([1, object])]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}
