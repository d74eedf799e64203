// The state of the webhook's own CAs, which its replicas share in a Secret, and their rotation. Pure: the time is an
// argument; no I/O, and no key generation.

import { ok, type Result } from '@countersign/common/result.ts';
import { readCaCertificates } from './ca-certificate.ts';
import { type CertificateAuthority, readAuthority } from './own-authority.ts';
import { hasExpired, isPastTwoThirds } from './validity.ts';

export interface CaState {
  /** Signs the serving certificates. */
  readonly current: CertificateAuthority;
  /** Trusted already, but signs only after every API server has had time to learn of it. */
  readonly next?: CertificateAuthority;
  /** When `next` was first seen in the webhook configuration. */
  readonly nextPublishedAt?: Date;
  /** Certificates (PEM) of former CAs. They stay trusted until they expire, so that no replica is cut off. */
  readonly former: readonly string[];
}

/** The next rotation step. */
export type Due = 'introduce' | 'mark-published' | 'promote' | 'nothing';

/** How long API servers get to notice a new caBundle: their watch is fast, but has no upper bound. */
export const PROPAGATION_MS = 60_000;

/**
 * A CA gets a successor at two thirds of its lifetime. The successor is published before it signs, so that no replica
 * ever serves with a certificate that an API server does not trust yet.
 */
export function findDue(state: CaState, isNextPublished: boolean, now: Date): Due {
  if (state.next === undefined) return isPastTwoThirds(state.current.certPem, now) ? 'introduce' : 'nothing';
  if (state.nextPublishedAt === undefined) return isNextPublished ? 'mark-published' : 'nothing';
  return now.getTime() - state.nextPublishedAt.getTime() >= PROPAGATION_MS ? 'promote' : 'nothing';
}

export function introduce(state: CaState, next: CertificateAuthority): CaState {
  return { current: state.current, next, former: state.former };
}

export function markPublished(state: CaState, now: Date): CaState {
  return { ...state, nextPublishedAt: now };
}

/** Makes the next CA the signing CA. Drops the key of the former CA, and former CAs that have expired. */
export function promote({ current, next, former }: CaState, now: Date): CaState {
  if (next === undefined) throw new TypeError('there is no next CA to promote');
  const trusted = [current.certPem, ...former].filter(certPem => !hasExpired(certPem, now));
  return { current: next, former: trusted };
}

/** All CA certificates (PEM) that a serving certificate may chain to, newest first. */
export function trustedCas({ current, next, former }: CaState): readonly string[] {
  return [...(next ? [next.certPem] : []), current.certPem, ...former];
}

/** Adds these certificates to the trusted ones, unless they have expired. */
export function addTrusted(state: CaState, certPems: readonly string[], now: Date): CaState {
  const trusted = trustedCas(state);
  const missing = certPems.filter(certPem => !trusted.includes(certPem) && !hasExpired(certPem, now));
  return missing.length === 0 ? state : { ...state, former: [...missing, ...state.former] };
}

/** Encodes the state as a Secret's `data` (base64). */
export function encodeState(state: CaState): Record<string, string> {
  const values: Record<string, string | undefined> = {
    'ca.crt': state.current.certPem,
    'ca.key': state.current.keyPem,
    'next-ca.crt': state.next?.certPem,
    'next-ca.key': state.next?.keyPem,
    'next-published-at': state.nextPublishedAt?.toISOString(),
    'former-ca.crt': state.former.join('') || undefined,
  };
  const entries = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, Buffer.from(value).toString('base64')] as const],
  );
  return Object.fromEntries(entries);
}

/** The error says why the Secret holds no CA that can sign: it was written by hand, or is damaged. */
export function decodeState(data: Readonly<Record<string, string>> | undefined): Result<CaState> {
  const text = (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString();
  const authority = (prefix: string) => readAuthority(text(`${prefix}.crt`), text(`${prefix}.key`));
  const [current, next] = [authority('ca'), authority('next-ca')];
  if (!current.ok) return current;
  const nextPublishedAt = new Date(text('next-published-at'));
  return ok({
    current: current.value,
    ...(next.ok && { next: next.value }),
    // A time that cannot be parsed is determined again.
    ...(next.ok && !Number.isNaN(nextPublishedAt.getTime()) && { nextPublishedAt }),
    former: readCaCertificates(text('former-ca.crt')),
  });
}
