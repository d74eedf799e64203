// What Prometheus learns about trust bundles. No label names an issuer.

import { formatSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { DesiredBundle } from './desired-bundle.ts';

export type BundleWriteResult = 'created' | 'updated' | 'deleted' | 'conflict' | 'failed';

/**
 * An operator has to act on this one. Its series exists from the start, because Prometheus sees an increase only of a
 * series that it already knows.
 */
const ACT_ON: BundleWriteResult = 'failed';

interface Counts {
  readonly current: number;
  readonly retired: number;
}

export class BundleMetrics {
  readonly #writes: Counter<'result'>;
  /** By signer name. */
  readonly #anchors = new Map<string, Counts>();

  constructor(registry: Registry) {
    this.#writes = new Counter({
      name: 'countersign_trust_bundle_writes_total',
      help: 'Writes of ClusterTrustBundles, by result: created, updated, deleted, conflict (tried again at once), failed.',
      labelNames: ['result'],
      registers: [registry],
    });
    this.#writes.inc({ result: ACT_ON }, 0);
    createAnchorsGauge(registry, this.#anchors);
  }

  written(result: BundleWriteResult): void {
    this.#writes.inc({ result });
  }

  /** The anchors of an issuer's bundle; undefined for no bundle. */
  note(ref: SignerRef, desired: DesiredBundle | undefined): void {
    const name = formatSignerName(ref);
    if (desired === undefined) this.#anchors.delete(name);
    else this.#anchors.set(name, { current: desired.current.length, retired: desired.retired.length });
  }

  clear(): void {
    this.#anchors.clear();
  }
}

function createAnchorsGauge(registry: Registry, anchors: ReadonlyMap<string, Counts>): void {
  new Gauge({
    name: 'countersign_trust_anchors',
    help: 'Certificates in the ClusterTrustBundles of issuers, by state: current, or retired (the issuer no longer has it).',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of ['current', 'retired'] as const) {
        this.set(
          { state },
          anchors.values().reduce((sum, counts) => sum + counts[state], 0),
        );
      }
    },
  });
}
