// Decides which certificates the trust bundle of an issuer has: the anchors of the issuer, and those it had until
// lately, as long as certificates under them may be in use. Pure: the time is an argument.

import { X509Certificate } from 'node:crypto';
import type { Anchor } from './anchors.ts';
import type { BundleCertificate, BundleState } from './bundle-object.ts';

export interface RetiredAnchor {
  readonly fingerprint: string;
  readonly pem: string;
  readonly until: Date;
}

export interface DesiredBundle {
  readonly current: readonly Pick<Anchor, 'fingerprint' | 'pem'>[];
  /** Those that are dropped first come first. */
  readonly retired: readonly RetiredAnchor[];
  /** Fingerprints of the retired anchors that are dropped because their time is over. */
  readonly expired: readonly string[];
  /** How many retired anchors do not fit. */
  readonly leftOut: number;
}

export interface Clock {
  readonly now: Date;
  /** How long an anchor stays that the issuer no longer has. */
  readonly keepRetiredMs: number;
}

/** Bytes: the limit of the API server (k8s.io/kubernetes pkg/apis/certificates/validation). */
export const MAX_BUNDLE_SIZE = 1_048_576;

/**
 * `before` is what is published, undefined for nothing; `anchors` is undefined where the Secret of the issuer cannot be
 * used. Gives undefined where nothing can be published: what is there stays, for a bundle must not be empty.
 */
export function desiredBundle(
  before: BundleState | undefined,
  anchors: readonly Anchor[] | undefined,
  clock: Clock,
): DesiredBundle | undefined {
  const current = anchors?.length ? preferUnexpired(anchors, clock.now) : currentOf(before);
  if (current.length === 0) return undefined;
  const retired = before === undefined ? [] : retire(before, current, clock);
  const kept = retired.filter(({ until }) => until > clock.now);
  const room = MAX_BUNDLE_SIZE - sizeOf(current);
  const fitting = lastThatFit(kept.toSorted(byEnd), room);
  return {
    current,
    retired: fitting,
    expired: retired.filter(({ until }) => until <= clock.now).map(({ fingerprint }) => fingerprint),
    leftOut: kept.length - fitting.length,
  };
}

/** An expired CA may still sign, so its certificate stays if there is no other. */
function preferUnexpired(anchors: readonly Anchor[], now: Date): readonly Anchor[] {
  const unexpired = anchors.filter(({ notAfter }) => notAfter > now);
  return unexpired.length > 0 ? unexpired : anchors;
}

function currentOf(before: BundleState | undefined): DesiredBundle['current'] {
  if (before === undefined) return [];
  const certificates = [...before.certificates].map(([fingerprint, { pem }]) => ({ fingerprint, pem }));
  return certificates.filter(({ fingerprint }) => before.current.has(fingerprint));
}

/**
 * All that is published and was an anchor of the issuer at some time. What was never one was added by others, and
 * is dropped.
 */
function retire(before: BundleState, current: DesiredBundle['current'], clock: Clock): readonly RetiredAnchor[] {
  const isCurrent = new Set(current.map(({ fingerprint }) => fingerprint));
  return [...before.certificates].flatMap(([fingerprint, certificate]) => {
    const wasCurrent = before.current.has(fingerprint);
    // A time that is set already is never moved: a clock that was set back must neither shorten nor lengthen it.
    const until = before.retired.get(fingerprint) ?? (wasCurrent ? retiredUntil(certificate, clock) : undefined);
    return isCurrent.has(fingerprint) || until === undefined ? [] : [{ fingerprint, pem: certificate.pem, until }];
  });
}

/** In whole seconds, as it is written. */
function retiredUntil({ der }: BundleCertificate, { now, keepRetiredMs }: Clock): Date {
  const kept = Math.floor((now.getTime() + keepRetiredMs) / 1_000) * 1_000;
  return new Date(Math.min(kept, notAfterOf(der)));
}

function notAfterOf(der: Buffer): number {
  try {
    return new X509Certificate(der).validToDate.getTime();
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function byEnd(a: RetiredAnchor, b: RetiredAnchor): number {
  return a.until.getTime() - b.until.getTime() || (a.fingerprint < b.fingerprint ? -1 : 1);
}

/** PEM is ASCII: a character is a byte. */
function sizeOf(certificates: readonly { readonly pem: string }[]): number {
  return certificates.reduce((sum, { pem }) => sum + pem.length, 0);
}

function lastThatFit(retired: readonly RetiredAnchor[], room: number): readonly RetiredAnchor[] {
  let left = room;
  const first = retired.findLastIndex(({ pem }) => (left -= pem.length) < 0);
  return retired.slice(first + 1);
}
