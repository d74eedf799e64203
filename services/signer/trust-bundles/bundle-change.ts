// Compares the trust bundle of an issuer with what it should be, and gives the one write that makes it so, if
// any. Pure.

import { formatTime } from '@countersign/common/csr.ts';
import type { Preconditions } from '@countersign/common/runtime/kube/kube-client.ts';
import { formatSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import type { Anchor } from './anchors.ts';
import {
  BUNDLE_LABELS,
  bundleName,
  CURRENT,
  ORPHANED_SINCE,
  RETIRED,
  readBundle,
  type TrustBundle,
} from './bundle-object.ts';
import { type Clock, type DesiredBundle, desiredBundle } from './desired-bundle.ts';

export type BundleWrite =
  | { readonly kind: 'create' | 'patch'; readonly body: object }
  | { readonly kind: 'delete'; readonly preconditions: Preconditions };

export interface BundlePlan {
  readonly desired: DesiredBundle | undefined;
  readonly write: BundleWrite | undefined;
}

const NOTHING: BundlePlan = { desired: undefined, write: undefined };

/** For an issuer that has a bundle; `anchors` as for desiredBundle. */
export function planBundle(
  ref: SignerRef,
  bundle: TrustBundle | undefined,
  anchors: readonly Anchor[] | undefined,
  clock: Clock,
): BundlePlan {
  const desired = desiredBundle(bundle && readBundle(bundle), anchors, clock);
  return desired === undefined ? NOTHING : { desired, write: writeOf(ref, bundle, contentOf(desired, undefined)) };
}

/**
 * For an issuer that is gone, or has no bundle any more: kept as long as certificates that it signed may be in use,
 * then deleted.
 */
export function planOrphan(ref: SignerRef, bundle: TrustBundle | undefined, clock: Clock): BundlePlan {
  if (bundle === undefined) return NOTHING;
  const noted = new Date(bundle.metadata.annotations?.[ORPHANED_SINCE] ?? '');
  const since = Number.isNaN(noted.getTime()) ? clock.now : noted;
  if (clock.now.getTime() - since.getTime() >= clock.keepRetiredMs) return { ...NOTHING, write: deletionOf(bundle) };
  const desired = desiredBundle(readBundle(bundle), undefined, clock);
  // Without its annotations no anchor can be told from another: all stay until the bundle is deleted.
  const unread = { annotations: { [ORPHANED_SINCE]: formatTime(since) }, trustBundle: bundle.spec.trustBundle };
  return { desired, write: writeOf(ref, bundle, desired === undefined ? unread : contentOf(desired, since)) };
}

function deletionOf({ metadata: { uid = '', resourceVersion = '' } }: TrustBundle): BundleWrite {
  return { kind: 'delete', preconditions: { uid, resourceVersion } };
}

interface Content {
  /** Undefined for an annotation that must not be there. */
  readonly annotations: Readonly<Record<string, string | undefined>>;
  readonly trustBundle: string;
}

function contentOf({ current, retired }: DesiredBundle, orphanedSince: Date | undefined): Content {
  const ends = retired.map(({ fingerprint, until }) => [fingerprint, formatTime(until)]);
  return {
    annotations: {
      [CURRENT]: JSON.stringify(current.map(({ fingerprint }) => fingerprint)),
      [RETIRED]: ends.length === 0 ? undefined : JSON.stringify(Object.fromEntries(ends)),
      [ORPHANED_SINCE]: orphanedSince && formatTime(orphanedSince),
    },
    trustBundle: [...current, ...retired].map(({ pem }) => pem).join(''),
  };
}

function writeOf(ref: SignerRef, bundle: TrustBundle | undefined, content: Content): BundleWrite | undefined {
  if (bundle === undefined) return { kind: 'create', body: createdBundle(ref, content) };
  return isAsWanted(bundle, content) ? undefined : { kind: 'patch', body: patchOf(bundle, content) };
}

function createdBundle(ref: SignerRef, { annotations, trustBundle }: Content): object {
  // JSON has no undefined, so that absent annotations are left out.
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'ClusterTrustBundle',
    metadata: { name: bundleName(ref), labels: BUNDLE_LABELS, annotations },
    spec: { signerName: formatSignerName(ref), trustBundle },
  };
}

/** A merge patch: null removes an annotation. Built on one version of the bundle, and valid for no other. */
function patchOf({ metadata }: TrustBundle, { annotations, trustBundle }: Content): object {
  const { resourceVersion } = metadata;
  const patched = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value ?? null]));
  return { metadata: { resourceVersion, labels: BUNDLE_LABELS, annotations: patched }, spec: { trustBundle } };
}

function isAsWanted({ metadata, spec }: TrustBundle, { annotations, trustBundle }: Content): boolean {
  const hasLabels = Object.entries(BUNDLE_LABELS).every(([key, value]) => metadata.labels?.[key] === value);
  const isSame = ([key, value]: [string, string | undefined]) => metadata.annotations?.[key] === value;
  return hasLabels && Object.entries(annotations).every(isSame) && spec.trustBundle === trustBundle;
}
