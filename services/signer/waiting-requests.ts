// Which requests of one kind wait, since when, for what, and for which type of issuer; the gauges are computed from it
// at scrape time.

import type { Reason } from '@countersign/common/reasons/reasons.ts';
import { Gauge, type Registry } from 'prom-client';

/** An error is retried (countersign_work_errors_total). */
export const RETRY = 'Retry';
/** Requests that wait for this have not been signable yet. */
const UNAPPROVED = 'WaitingApproval';

export interface Metric {
  readonly name: string;
  readonly help: string;
}

export interface WaitingRequest {
  /** That of its event. */
  readonly reason: Reason | typeof RETRY;
  /** Empty if it is not known. */
  readonly issuerType: string;
  /** Since when it could have been signed; ms since 1970. */
  readonly since: number;
}

export class WaitingRequests {
  readonly #requests = new Map<string, WaitingRequest>();

  set(name: string, request: WaitingRequest): void {
    this.#requests.set(name, request);
  }

  /** For a request that waited before, keeps since when. */
  retry(name: string, issuerType: string, now: number): void {
    const before = this.#requests.get(name);
    const since = before === undefined || before.reason === UNAPPROVED ? now : before.since;
    this.set(name, { reason: RETRY, issuerType, since });
  }

  delete(name: string): void {
    this.#requests.delete(name);
  }

  clear(): void {
    this.#requests.clear();
  }

  /** Every reason is present, even at 0. */
  addCountGauge(registry: Registry, metric: Metric, reasons: readonly Reason[]): void {
    addGaugeByReason(registry, metric, gauge => {
      for (const reason of [...reasons, RETRY]) gauge.set({ reason }, 0);
      for (const request of this.#requests.values()) gauge.inc(labelsOf(request));
    });
  }

  /** The longest wait of an approved request, in seconds. */
  addAgeGauge(registry: Registry, metric: Metric, now: () => number): void {
    const requests = this.#requests;
    new Gauge({
      ...metric,
      registers: [registry],
      collect() {
        const since = requests.values().reduce((oldest, each) => Math.min(oldest, startOf(each)), now());
        this.set((now() - since) / 1000);
      },
    });
  }

  /** The same for each reason and type of issuer. */
  addAgeByReasonGauge(registry: Registry, metric: Metric, now: () => number): void {
    addGaugeByReason(registry, metric, gauge => {
      const oldest = new Map<string, WaitingRequest>();
      for (const each of this.#requests.values()) {
        const key = `${each.reason}/${each.issuerType}`;
        if (startOf(each) < startOf(oldest.get(key))) oldest.set(key, each);
      }
      for (const each of oldest.values()) gauge.set(labelsOf(each), Math.max(0, now() - each.since) / 1000);
    });
  }
}

type GaugeByReason = Gauge<'reason' | 'issuer_type'>;

/** `fill` sets all series at each scrape. */
function addGaugeByReason(registry: Registry, metric: Metric, fill: (gauge: GaugeByReason) => void): void {
  new Gauge({
    ...metric,
    labelNames: ['reason', 'issuer_type'],
    registers: [registry],
    collect() {
      this.reset();
      fill(this);
    },
  });
}

function startOf(request: WaitingRequest | undefined): number {
  return request === undefined || request.reason === UNAPPROVED ? Number.POSITIVE_INFINITY : request.since;
}

function labelsOf({ reason, issuerType }: WaitingRequest): Record<string, string> {
  return issuerType === '' ? { reason } : { reason, issuer_type: issuerType };
}
