// Compares the validity period of certificates (PEM) with a time. Pure: the time is an argument.

import { X509Certificate } from 'node:crypto';

export function hasExpired(certPem: string, now: Date): boolean {
  return new X509Certificate(certPem).validToDate <= now;
}

/** Whether a certificate expires at the same time as the other, or later. */
export function expiresNoSooner(certPem: string, otherPem: string): boolean {
  return new X509Certificate(certPem).validToDate >= new X509Certificate(otherPem).validToDate;
}

/** Whether a certificate is not yet valid at that time. */
export function startsAfter(certPem: string, time: Date): boolean {
  return new X509Certificate(certPem).validFromDate > time;
}

/** Whether two thirds of a certificate's lifetime have passed; the rest is left to replace it. */
export function isPastTwoThirds(certPem: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certPem);
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}
