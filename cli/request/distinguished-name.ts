// Builds the DER of a subject from text such as `CN=app,O=team`. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';

const OIDS: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
};

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;

/** RFC 5280 and RFC 4519 prescribe these types; everything else may be UTF-8. */
const STRING_TYPES: Readonly<Record<string, number>> = {
  C: PRINTABLE_STRING,
  SERIALNUMBER: PRINTABLE_STRING,
  DC: IA5_STRING,
};

/** In the order of the text. A comma inside a value is written `\,`. The empty text is the empty Name. */
export function encodeSubject(text: string): Result<Buffer> {
  const parts = text === '' ? [] : text.split(/(?<!\\),/);
  const rdns: Buffer[] = [];
  for (const part of parts) {
    const [, type = '', value = ''] = /^\s*([A-Za-z]+)=(.*)$/s.exec(part) ?? [];
    const key = type.toUpperCase();
    const oid = Object.hasOwn(OIDS, key) ? OIDS[key] : undefined;
    if (oid === undefined || value === '') {
      return err(`"${part}" must be TYPE=VALUE with a TYPE of ${Object.keys(OIDS).join(', ')}`);
    }
    const string = tlv(STRING_TYPES[key] ?? UTF8_STRING, Buffer.from(value.replace(/\\(.)/gs, '$1')));
    rdns.push(tlv(TAG.set, sequence(encodeOid(oid), string)));
  }
  return ok(sequence(...rdns));
}
