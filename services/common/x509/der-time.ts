// Reads and writes the times in certificates (RFC 5280 section 4.1.2.5): UTCTime from 1950 to 2049, otherwise
// GeneralizedTime, in whole seconds and in UTC. Never rounds up: fractions of a second are dropped, as in Go.

import { err, ok, type Result } from '../result.ts';
import { TAG, type Tlv, tlv } from './der.ts';

/** Writes a Time. The year must have four digits, which no duration that Go can hold exceeds. */
export function encodeTime(time: Date): Buffer {
  const year = time.getUTCFullYear();
  const digits = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const isUtcTime = year >= 1950 && year < 2050;
  return isUtcTime ? tlv(TAG.utcTime, Buffer.from(digits.slice(2))) : tlv(TAG.generalizedTime, Buffer.from(digits));
}

/** Reads a Time in the form that its year requires. */
export function decodeTime(element: Tlv): Result<Date> {
  const text = element.value.toString('latin1');
  const digits = element.tag === TAG.utcTime ? `${text.slice(0, 2) < '50' ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (parts === null) return err('malformed DER: invalid time');
  const [, year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Encoding it again rejects February 31, the wrong form and any other tag at once.
  const isTime = !Number.isNaN(time.getTime()) && encodeTime(time).equals(element.bytes);
  return isTime ? ok(time) : err('malformed DER: invalid time');
}
