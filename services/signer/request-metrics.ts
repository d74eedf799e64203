// The Prometheus metrics for one kind of request: results, latency, and what is waiting and why.

import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Outcome } from './effect.ts';
import { type Metric, WaitingRequests } from './waiting-requests.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

export interface RequestMetricsOptions {
  /** By issuer type, result and reason. */
  readonly certificates: Metric;
  /** The result for a request that is refused permanently, named after the condition of its kind. */
  readonly refusal: 'failed' | 'denied';
  /** A histogram of seconds, by issuer type. */
  readonly issuance: Metric;
  /** By reason and issuer type. */
  readonly waiting: Metric;
  /** The age of the oldest waiting request in seconds. */
  readonly oldestWaiting: Metric & { readonly isByReason: boolean };
  /** The reasons for waiting; every one is present in the gauge from the start, at 0. */
  readonly reasons: readonly Reason[];
}

export class RequestMetrics {
  readonly #waiting = new WaitingRequests();
  readonly #certificates: Counter<'issuer_type' | 'result' | 'reason'>;
  readonly #issuance: Histogram<'issuer_type'>;
  readonly #now: () => number;
  readonly #refusal: RequestMetricsOptions['refusal'];

  constructor(registry: Registry, options: RequestMetricsOptions, now: () => number = Date.now) {
    const registers = [registry];
    this.#now = now;
    this.#refusal = options.refusal;
    this.#certificates = new Counter({
      ...options.certificates,
      labelNames: ['issuer_type', 'result', 'reason'],
      registers,
    });
    this.#issuance = new Histogram({ ...options.issuance, labelNames: ['issuer_type'], buckets: SECONDS, registers });
    const { isByReason, ...oldest } = options.oldestWaiting;
    this.#waiting.addCountGauge(registry, options.waiting, options.reasons);
    if (isByReason) this.#waiting.addAgeByReasonGauge(registry, oldest, now);
    else this.#waiting.addAgeGauge(registry, oldest, now);
  }

  /** Called when another replica becomes leader. */
  clear(): void {
    this.#waiting.clear();
  }

  /** A reconcile failed; the request waits for a retry unless it was given up. */
  retrying(name: string, issuerType: string, willRetry: boolean): void {
    if (willRetry) this.#waiting.retry(name, issuerType, this.#now());
    else this.#waiting.delete(name);
  }

  forgetWaiting(name: string): void {
    this.#waiting.delete(name);
  }

  /** `openMs`: how long the request could have been signed. */
  reportOutcome(name: string, { result, reason, issuerType }: Outcome, openMs: number): void {
    if (result === 'waiting' && reason !== undefined) {
      this.#waiting.set(name, { reason, issuerType, since: this.#now() - openMs });
    } else this.#waiting.delete(name);
    if (result === 'waiting' || result === 'ignored') return;
    const ended = result === 'failed' ? this.#refusal : result;
    this.#certificates.inc({ issuer_type: issuerType, result: ended, reason: reason ?? '' });
    if (result === 'issued') this.#issuance.observe({ issuer_type: issuerType }, openMs / 1000);
  }
}

/** Returns the reasons for which a request waits. */
export function waitingReasons(names: readonly Reason[]): readonly Reason[] {
  return names.filter(name => reasons[name].outcome === 'wait');
}
