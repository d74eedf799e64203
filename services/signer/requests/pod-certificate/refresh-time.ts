// When kubelet begins to replace the certificate of a pod (status.beginRefreshAt): after about two thirds of its
// lifetime, as cert-manager does. Pure.

import { hash } from 'node:crypto';

const MINUTE_MS = 60_000;

/** The minimum that the API server demands before and after. */
const MARGIN_MS = 10 * MINUTE_MS;

/** Of the lifetime: the refreshes of pods that started together are spread over it. */
const SPREAD = 1 / 20;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** In whole seconds. Deterministic: each replica gets the same. */
export function beginRefreshAt({ notBefore, notAfter }: Validity, uid: string): Date {
  const begin = notBefore.getTime();
  const end = notAfter.getTime();
  const lifetime = end - begin;
  const wanted = begin + (lifetime * 2) / 3 - lifetime * SPREAD * fractionOf(uid);
  const held = Math.min(Math.max(wanted, begin + MARGIN_MS), end - MARGIN_MS);
  return new Date(Math.floor(held / 1000) * 1000);
}

/** From 0 to less than 1. */
function fractionOf(uid: string): number {
  return hash('sha256', uid, 'buffer').readUInt32BE(0) / 2 ** 32;
}
