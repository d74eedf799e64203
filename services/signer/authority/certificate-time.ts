// The times of a CA's certificate: UTCTime or GeneralizedTime whatever the year, since CAs with either are at work. Refuses
// an offset and missing seconds, which RFC 5280 section 4.1.2.5 forbids and verifiers read in different ways. Pure.

import { TAG, type Tlv } from '@countersign/common/x509/der.ts';

const FORMS: ReadonlyMap<number, RegExp> = new Map([
  [TAG.utcTime, /^\d{12}Z$/],
  [TAG.generalizedTime, /^\d{14}Z$/],
]);

/** Undefined for what is no time, e.g. the 30th of February. */
export function readCertificateTime({ tag, value }: Tlv): Date | undefined {
  const text = value.toString('latin1');
  if (FORMS.get(tag)?.test(text) !== true) return undefined;
  const digits = tag === TAG.utcTime ? `${text < '5' ? '20' : '19'}${text}` : text;
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = new Date(iso);
  // Written again, what Date has carried over (the 31st of April, 24 o'clock) is no longer the same.
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso ? time : undefined;
}
