// Reads the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/), field by field and
// without copying. Knows no message; throws a ProtobufError for invalid input, and never reads past its end.

export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** Field numbers have 29 bits. */
const MAX_FIELD = 2 ** 29 - 1;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * A cursor over one message: `next` returns a field number; its value is then read with one of the other methods,
 * or skipped.
 */
export class ProtobufReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = 0;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  /** The number of the next field; 0, which no field has, at the end of the message. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    const key = this.#varint();
    this.#wireType = key % 8;
    const field = Math.floor(key / 8);
    if (field === 0 || field > MAX_FIELD) throw new ProtobufError(`invalid field number ${field}`);
    return field;
  }

  /** An int32: the last 32 bits of a longer varint, with their sign. */
  int32(): number {
    return this.#signed(32);
  }

  /** An int64; not exact beyond 2^53. */
  int64(): number {
    return this.#signed(64);
  }

  #signed(bits: number): number {
    this.#expect(WIRE.varint);
    const start = this.#at;
    const value = this.#varint();
    if (value < 2 ** 31) return value;
    const groups = [...this.#buffer.subarray(start, this.#at)].map(octet => BigInt(octet & 0x7f));
    return Number(
      BigInt.asIntN(
        bits,
        groups.reduceRight((sum, group) => sum * 128n + group, 0n),
      ),
    );
  }

  string(): string {
    const start = this.#enter();
    return this.#buffer.toString('utf8', start, this.#at);
  }

  /** Bytes in base64, as in JSON. */
  base64(): string {
    const start = this.#enter();
    return this.#buffer.toString('base64', start, this.#at);
  }

  /** A view of the bytes, not a copy. */
  bytes(): Buffer {
    const start = this.#enter();
    return this.#buffer.subarray(start, this.#at);
  }

  message(): ProtobufReader {
    const start = this.#enter();
    return new ProtobufReader(this.#buffer, start, this.#at);
  }

  skip(): void {
    switch (this.#wireType) {
      case WIRE.varint:
        this.#varint();
        break;
      case WIRE.fixed64:
        this.#advance(8);
        break;
      case WIRE.bytes:
        this.#enter();
        break;
      case WIRE.fixed32:
        this.#advance(4);
        break;
      default:
        throw new ProtobufError(`unknown wire type ${this.#wireType}`);
    }
  }

  /** Advances past a length-delimited value and returns its start. */
  #enter(): number {
    this.#expect(WIRE.bytes);
    const length = this.#varint();
    const start = this.#at;
    this.#advance(length);
    return start;
  }

  #advance(length: number): void {
    this.#at += length;
    if (this.#at > this.#end) throw new ProtobufError('a value exceeds the end of its message');
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new ProtobufError(`unexpected wire type ${this.#wireType}, want ${wireType}`);
    }
  }

  #varint(): number {
    let value = 0;
    // Multiplied, not shifted: JavaScript shifts 32 bits only.
    for (let scale = 1, octets = 0; octets < 10; scale *= 128, octets += 1) {
      if (this.#at >= this.#end) break;
      const octet = this.#buffer[this.#at] ?? 0;
      this.#at += 1;
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
    }
    throw new ProtobufError('unterminated varint');
  }
}
