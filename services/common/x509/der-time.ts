// Points in time as certificates write them (RFC 5280 section 4.1.2.5): UTCTime from 1950 to 2049, GeneralizedTime for
// all else, always in whole seconds and in UTC. Never rounds up: a fraction of a second is dropped, as Go does.

import { err, ok, type Result } from '../result.ts';
import { TAG, type Tlv, tlv } from './der.ts';

/** Writes a Time. The year must have four digits: no duration that Go can hold leads out of them. */
export function encodeTime(time: Date): Buffer {
  const year = time.getUTCFullYear();
  const digits = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const isUtcTime = year >= 1950 && year < 2050;
  return isUtcTime ? tlv(TAG.utcTime, Buffer.from(digits.slice(2))) : tlv(TAG.generalizedTime, Buffer.from(digits));
}

/** Reads a Time, and only of the form that its year demands. */
export function decodeTime(element: Tlv): Result<Date> {
  const text = element.value.toString('latin1');
  const digits = element.tag === TAG.utcTime ? `${text.slice(0, 2) < '50' ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (parts === null) return err('malformed DER: invalid time');
  const [, year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Writing it again refuses the 31st of February, the wrong form and every other tag at once.
  const isTime = !Number.isNaN(time.getTime()) && encodeTime(time).equals(element.bytes);
  return isTime ? ok(time) : err('malformed DER: invalid time');
}
