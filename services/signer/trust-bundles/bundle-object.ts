// The ClusterTrustBundle (certificates.k8s.io/v1) of an issuer: its name, labels and annotations, and what is read of
// one. Pure.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { formatSignerName, parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import { fingerprintOf } from './anchors.ts';

export interface TrustBundle {
  readonly metadata: ObjectMeta & { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly signerName: string; readonly trustBundle: string };
}

export const BUNDLES_PATH = '/apis/certificates.k8s.io/v1/clustertrustbundles';

export const BUNDLE_LABELS = {
  'app.kubernetes.io/managed-by': 'countersign',
  'countersign.io/anchors': 'live',
} as const;

/** Selects the bundles that are written here, in a query. */
export const BUNDLE_SELECTOR = Object.entries(BUNDLE_LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

/**
 * A JSON list of the SHA-256 fingerprints of the anchors that the issuer has now: tells them from what others
 * have added.
 */
export const CURRENT = 'countersign.io/current';

/** A JSON object: SHA-256 fingerprint of each anchor that the issuer no longer has, and until when it stays. */
export const RETIRED = 'countersign.io/retired';

/** Since when the issuer is gone, or has no bundle any more. */
export const ORPHANED_SINCE = 'countersign.io/orphaned-since';

const SUFFIX = ':anchors';

/** The API server demands the signer name with `:` for `/`, and another `:`. */
export function bundleName(ref: SignerRef): string {
  return `${formatSignerName(ref).replace('/', ':')}${SUFFIX}`;
}

/** The issuer whose bundle has this name; undefined for another name. */
export function bundleIssuer(name: string): SignerRef | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  const ref = parseSignerName(name.slice(0, -SUFFIX.length).replace(':', '/'));
  return ref.ok ? ref.value : undefined;
}

export function bundlePath(ref: SignerRef): string {
  return `${BUNDLES_PATH}/${encodeURIComponent(bundleName(ref))}`;
}

/** What a bundle says about its anchors. */
export interface BundleState {
  /** By fingerprint, in the order of the bundle. */
  readonly certificates: ReadonlyMap<string, BundleCertificate>;
  readonly current: ReadonlySet<string>;
  /** Until when each retired anchor stays, by fingerprint. */
  readonly retired: ReadonlyMap<string, Date>;
}

export interface BundleCertificate {
  readonly der: Buffer;
  readonly pem: string;
}

/** Annotations that cannot be read count as absent, and are written again. */
export function readBundle({ metadata, spec }: TrustBundle): BundleState {
  const blocks = parsePem(spec.trustBundle);
  const certificates = (blocks.ok ? blocks.value : []).map(
    ({ der }) => [fingerprintOf(der), { der, pem: formatPem('CERTIFICATE', der) }] as const,
  );
  const { [CURRENT]: current, [RETIRED]: retired } = metadata.annotations ?? {};
  const dates = Object.entries(parseJson(retired)).map(([key, until]) => [key, new Date(String(until))] as const);
  return {
    certificates: new Map(certificates),
    current: new Set(Object.values(parseJson(current)).map(String)),
    retired: new Map(dates.filter(([, until]) => !Number.isNaN(until.getTime()))),
  };
}

function parseJson(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
