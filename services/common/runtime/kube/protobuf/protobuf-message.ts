// Decodes a protobuf message into a plain object by a table of its fields: the JSON name and decoder of each. Skips
// unknown fields and does not set absent ones. Of duplicate fields the last one counts, and messages are merged, as
// in Go.

import type { ProtobufReader } from './protobuf.ts';

type Values = Record<string, unknown>;

/** Decodes the value of one field into the object. */
export type Field = (reader: ProtobufReader, into: Values) => void;

/** The fields of a message by their numbers. */
export type Fields = Readonly<Record<number, Field>>;

export function readMessage(reader: ProtobufReader, fields: Fields, into: Values = {}): Values {
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    const field = fields[number];
    if (field === undefined) reader.skip();
    else field(reader, into);
  }
  return into;
}

/** A string that JSON omits if it is empty. */
export function text(name: string): Field {
  return (reader, into) => {
    setUnlessEmpty(into, name, reader.string());
  };
}

/** A string that is always present. */
export function requiredText(name: string): Field {
  return (reader, into) => {
    into[name] = reader.string();
  };
}

/** Omits an empty value, and removes an earlier one. */
function setUnlessEmpty(into: Values, name: string, value: string): void {
  if (value !== '') into[name] = value;
  else if (name in into) delete into[name];
}

export function int32(name: string): Field {
  return (reader, into) => {
    into[name] = reader.int32();
  };
}

export function int64(name: string): Field {
  return (reader, into) => {
    into[name] = reader.int64();
  };
}

/** Bytes, which are base64 in JSON and omitted if empty. */
export function base64(name: string): Field {
  return (reader, into) => {
    setUnlessEmpty(into, name, reader.base64());
  };
}

export function message(name: string, fields: Fields): Field {
  return (reader, into) => {
    into[name] = readMessage(reader.message(), fields, (into[name] ?? {}) as Values);
  };
}

/** A message that is decoded on first access, which most of a long list never see; decoding errors are thrown then. */
export function lazyMessage(name: string, fields: Fields): Field {
  return (reader, into) => {
    const unread = reader.message();
    const before = Object.getOwnPropertyDescriptor(into, name);
    let value: Values | undefined;
    const get = () => (value ??= readMessage(unread, fields, before?.get?.call(into) ?? {}));
    Object.defineProperty(into, name, { get, enumerable: true, configurable: true });
  };
}

/** A repeated field; each element is decoded like a field of this name. */
export function repeated(name: string, element: (name: string) => Field): Field {
  const read = element(name);
  return (reader, into) => {
    const one: Values = {};
    read(reader, one);
    const list = (into[name] ??= []) as unknown[];
    list.push(one[name]);
  };
}

/** A repeated message that is decoded during iteration, which works once: a long list costs little until then. */
export function deferred(name: string, fields: Fields): Field {
  return (reader, into) => {
    const list = (into[name] ??= new DeferredList(fields)) as DeferredList;
    list.add(reader.message());
  };
}

class DeferredList implements Iterable<Values> {
  readonly #fields: Fields;
  readonly #messages: ProtobufReader[] = [];

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  add(reader: ProtobufReader): void {
    this.#messages.push(reader);
  }

  *[Symbol.iterator](): Iterator<Values> {
    for (const each of this.#messages) yield readMessage(each, this.#fields);
  }
}

/** A map from strings, whose entries are messages of a key (1) and a value (2), which defaults to `absent`. */
export function map(name: string, value: (name: string) => Field, absent: unknown): Field {
  const fields = { 1: requiredText('key'), 2: value('value') };
  return (reader, into) => {
    const entry = readMessage(reader.message(), fields, { key: '', value: absent });
    // Defined, not assigned: "__proto__" is a key like any other.
    Object.defineProperty((into[name] ??= {}), String(entry['key']), {
      value: entry['value'],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  };
}
