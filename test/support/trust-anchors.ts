// CAs for tests of trust bundles: certificates of which a name tells the holder, and bundles as the API server would
// have them.

import { createHash, X509Certificate } from 'node:crypto';
import type { Anchor } from '@countersign/signer/trust-bundles/anchors.ts';
import type { BundleWrite } from '@countersign/signer/trust-bundles/bundle-change.ts';
import type { TrustBundle } from '@countersign/signer/trust-bundles/bundle-object.ts';
import { buildCertificate, createHolder, type Holder } from './certificate-builder.ts';

/** Certificates by name, each made once; `x` and `x'` have the key of one holder, as a CA that was renewed. */
export class Roots {
  readonly #holders = new Map<string, Holder>();
  readonly #anchors = new Map<string, Anchor>();

  /** `ends` is a UTCTime, of the first call for the name. */
  anchor(name: string, ends = '460101000000Z'): Anchor {
    const known = this.#anchors.get(name);
    if (known !== undefined) return known;
    const pem = buildCertificate(this.#holder(name.replaceAll("'", '')), undefined, { ends });
    const anchor = { fingerprint: fingerprintOf(pem), pem, notAfter: new X509Certificate(pem).validToDate };
    this.#anchors.set(name, anchor);
    return anchor;
  }

  /** The names of the certificates in a bundle, in order; `?` for one that is not from here. */
  namesIn(bundle: string): string[] {
    const names = new Map([...this.#anchors].map(([name, { pem }]) => [pem, name]));
    return (bundle.match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/g) ?? []).map(pem => names.get(pem) ?? '?');
  }

  #holder(name: string): Holder {
    const holder = this.#holders.get(name) ?? createHolder(name);
    this.#holders.set(name, holder);
    return holder;
  }
}

export function fingerprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

/** The bundle as the API server has it after the write; undefined after a deletion. */
export function afterWrite(bundle: TrustBundle | undefined, write: BundleWrite | undefined): TrustBundle | undefined {
  if (write === undefined) return bundle;
  if (write.kind === 'delete') return undefined;
  const version = Number(bundle?.metadata.resourceVersion ?? 0) + 1;
  const merged = mergePatch(bundle ?? {}, JSON.parse(JSON.stringify(write.body))) as unknown as TrustBundle;
  return { ...merged, metadata: { ...merged.metadata, uid: 'uid-of-bundle', resourceVersion: `${version}` } };
}

/** RFC 7386. */
function mergePatch(target: object, patch: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else
      merged[key] = typeof value === 'object' && !Array.isArray(value) ? mergePatch(merged[key] ?? {}, value) : value;
  }
  return merged;
}
