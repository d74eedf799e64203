// Mutates a protobuf message in one place and encodes it again, with correct or incorrect lengths: wire types, numbers
// and order of fields, lengths, varints. Bytes that can be a message are treated as one.

import { varint } from '../protobuf-writer.ts';
import type { Random } from './random.ts';

interface Field {
  number: number;
  wireType: number;
  /**
   * The value of a length-delimited field: a message if possible, otherwise bytes. For other fields, the bytes after
   * the key.
   */
  value: Field[] | Buffer;
}

/** Parses the fields of a message. undefined if it is not a message. */
function readFields(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at);
    const number = key === undefined ? 0 : Math.floor(key.value / 8);
    if (key === undefined || number === 0) return undefined;
    const wireType = key.value % 8;
    const end = endOf(bytes, key.end, wireType);
    if (end === undefined) return undefined;
    fields.push({
      number,
      wireType,
      value: wireType === 2 ? bytes.subarray(end.start, end.at) : bytes.subarray(key.end, end.at),
    });
    at = end.at;
  }
  return fields.map(field => (field.wireType === 2 ? { ...field, value: nest(field.value as Buffer) } : field));
}

/** Text can be a valid message by chance, so anything that looks like text stays text. */
function nest(bytes: Buffer): Field[] | Buffer {
  const isText = bytes.every(octet => octet >= 0x20 || octet === 0x0a);
  return isText ? bytes : (readFields(bytes) ?? bytes);
}

function endOf(
  bytes: Buffer,
  start: number,
  wireType: number,
): { readonly start: number; readonly at: number } | undefined {
  if (wireType === 0) return within(bytes, start, readVarint(bytes, start)?.end);
  if (wireType === 1 || wireType === 5) return within(bytes, start, start + (wireType === 1 ? 8 : 4));
  const length = wireType === 2 ? readVarint(bytes, start) : undefined;
  return length && within(bytes, length.end, length.end + length.value);
}

function within(bytes: Buffer, start: number, at: number | undefined) {
  return at === undefined || at > bytes.length ? undefined : { start, at };
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = start, scale = 1; at < Math.min(bytes.length, start + 8); at += 1, scale *= 128) {
    const octet = bytes[at] ?? 0;
    value += (octet & 0x7f) * scale;
    if (octet < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function write(fields: readonly Field[], random: Random): Buffer {
  return Buffer.concat(
    fields.map(({ number, wireType, value }) => {
      const key = varint(number * 8 + wireType);
      if (Buffer.isBuffer(value) && wireType !== 2) return Buffer.concat([key, value]);
      const bytes = Buffer.isBuffer(value) ? value : write(value, random);
      return Buffer.concat([key, lengthOf(bytes, random), bytes]);
    }),
  );
}

/** Sometimes longer than necessary, which is legal, or incorrect. */
function lengthOf({ length }: Buffer, random: Random): Buffer {
  const dice = random.below(400);
  if (dice === 0) return varint(length + 1 - random.below(3) < 0 ? 0 : length + 1 - random.below(3));
  if (dice === 1)
    return Buffer.from(
      [...varint(length)].map((octet, at, all) => (at + 1 < all.length ? octet : octet | 0x80)).concat(0),
    );
  return varint(length);
}

function allLists(fields: Field[]): Field[][] {
  return [fields, ...fields.flatMap(({ value }) => (Buffer.isBuffer(value) ? [] : allLists(value)))].filter(
    list => list.length > 0,
  );
}

const VARINTS = [
  '00',
  '01',
  '7f',
  '8001',
  'ffffffff0f',
  '8080808008',
  'ffffffffffffffffff01',
  'ffffffffffffffffff7f',
  '80808080808080808001',
  'ff',
  '8080808080808080808001',
].map(hex => Buffer.from(hex, 'hex'));
const BYTES = [
  '',
  '00',
  'ff',
  'c3',
  '0a',
  '0a00',
  '0800',
  '08ffffffffffffffffff01',
  '1a00',
  '61',
  '__proto__',
  'constructor',
].map(text => (/^[0-9a-f]*$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text)));

type Change = (random: Random, field: Field, siblings: Field[]) => unknown;

const copyOf = (field: Field): Field => ({
  ...field,
  value: Buffer.isBuffer(field.value) ? field.value : field.value.map(copyOf),
});

const CHANGES: readonly Change[] = [
  (random, field) => Object.assign(field, { value: random.pick(BYTES), wireType: 2 }),
  (random, field) => Object.assign(field, { value: random.pick(VARINTS), wireType: 0 }),
  (random, field) =>
    (field.number = random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17, 536_870_911, 536_870_912, 2 ** 35 + 1])),
  (random, field) => (field.wireType = random.below(8)),
  (_, field, siblings) => siblings.splice(siblings.indexOf(field), 1),
  (random, field, siblings) => siblings.splice(random.below(siblings.length + 1), 0, copyOf(field)),
  (random, field, siblings) => siblings.push({ ...copyOf(random.pick(siblings)), number: field.number }),
  (_, field, siblings) => siblings.push(...siblings.splice(0, siblings.indexOf(field))),
  (random, field) => Object.assign(field, { value: spoil(field, random) }),
];

function spoil({ value }: Field, random: Random): Buffer {
  const bytes = Buffer.from(Buffer.isBuffer(value) ? value : write(value, random));
  if (bytes.length === 0) return random.bytes(2);
  bytes[random.below(bytes.length)] = random.below(256);
  return bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length) : bytes.length);
}

/** Mutates one to three places and sometimes truncates the result. */
export function mutateProtobuf(message: Buffer, random: Random): Buffer {
  const fields = readFields(message) ?? [];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const lists = allLists(fields);
    if (lists.length === 0) break;
    const siblings = random.pick(lists);
    random.pick(CHANGES)(random, random.pick(siblings), siblings);
  }
  const written = write(fields, random);
  return random.below(15) === 0 ? written.subarray(0, random.below(written.length + 1)) : written;
}
