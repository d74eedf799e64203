// When certificates (PEM) begin and end. Pure: the time is an argument. Reads nothing else of a certificate.

import { X509Certificate } from 'node:crypto';

export function hasEnded(certPem: string, now: Date): boolean {
  return new X509Certificate(certPem).validToDate <= now;
}

/** Whether a certificate ends when the other does, or later. */
export function endsNoSooner(certPem: string, otherPem: string): boolean {
  return new X509Certificate(certPem).validToDate >= new X509Certificate(otherPem).validToDate;
}

/** Whether a certificate is not valid yet at that time. */
export function beginsAfter(certPem: string, time: Date): boolean {
  return new X509Certificate(certPem).validFromDate > time;
}

/** Whether two thirds of a certificate's life are over: what is left is time to replace it in. */
export function isPastTwoThirds(certPem: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certPem);
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}
