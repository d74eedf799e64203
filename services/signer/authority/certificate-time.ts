// Parses the times of a CA certificate: UTCTime or GeneralizedTime for any year, since both are in use. Rejects offsets
// and missing seconds, which RFC 5280 section 4.1.2.5 forbids and verifiers interpret differently. Pure.

import { TAG, type Tlv } from '@countersign/common/x509/der.ts';

const FORMS: ReadonlyMap<number, RegExp> = new Map([
  [TAG.utcTime, /^\d{12}Z$/],
  [TAG.generalizedTime, /^\d{14}Z$/],
]);

/** Returns undefined for an invalid time, such as 30 February. */
export function readCertificateTime({ tag, value }: Tlv): Date | undefined {
  const text = value.toString('latin1');
  if (FORMS.get(tag)?.test(text) !== true) return undefined;
  const digits = tag === TAG.utcTime ? `${text < '5' ? '20' : '19'}${text}` : text;
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = new Date(iso);
  // Formatting it again reveals values that Date normalized (31 April, 24:00).
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso ? time : undefined;
}
