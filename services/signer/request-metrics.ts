// The Prometheus metrics for one kind of request: results, latency, and what is waiting and why.

import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from './effect.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Why a request waits: the reason of its event, or a retry after an error (countersign_work_errors_total). */
type Waiting = Reason | typeof RETRY;
const RETRY = 'Retry';

interface Metric {
  readonly name: string;
  readonly help: string;
}

export interface RequestMetricsOptions {
  /** By issuer type, result and reason. */
  readonly certificates: Metric;
  /** The result for a request that is refused permanently, named after the condition of its kind. */
  readonly refusal: 'failed' | 'denied';
  /** A histogram of seconds. */
  readonly issuance: Metric;
  /** By reason. */
  readonly waiting: Metric;
  /** The age of the oldest waiting request in seconds, if it is measured. */
  readonly oldestWaiting?: Metric;
  /** The reasons for waiting; every one is present in the gauge from the start, at 0. */
  readonly reasons: readonly Reason[];
}

/** When a request began to wait, and for what. */
interface WaitingRequest {
  readonly reason: Waiting;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export class RequestMetrics {
  /** By name. The gauges are computed from it at scrape time. */
  readonly #waiting = new Map<string, WaitingRequest>();
  readonly #certificates: Counter<'issuer_type' | 'result' | 'reason'>;
  readonly #issuance: Histogram;
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
    this.#issuance = new Histogram({ ...options.issuance, buckets: SECONDS, registers });
    createWaitingGauge(registry, options, this.#waiting);
    if (options.oldestWaiting) createAgeGauge(registry, options.oldestWaiting, () => this.#oldestSeconds());
  }

  /** Called when another replica becomes leader. */
  clear(): void {
    this.#waiting.clear();
  }

  /** A reconcile failed; the request waits for a retry unless it was given up. */
  retrying(name: string, willRetry: boolean): void {
    if (willRetry) this.#note(name, RETRY, this.#now());
    else this.#waiting.delete(name);
  }

  forgetWaiting(name: string): void {
    this.#waiting.delete(name);
  }

  /** `openMs`: how long the request could have been signed. */
  reportOutcome(name: string, { result, reason, issuerType }: Outcome, openMs: number): void {
    if (result === 'waiting' && reason !== undefined) this.#note(name, reason, this.#now() - openMs);
    else this.#waiting.delete(name);
    if (result === 'waiting' || result === 'ignored') return;
    const ended = result === 'failed' ? this.#refusal : result;
    this.#certificates.inc({ issuer_type: issuerType, result: ended, reason: reason ?? '' });
    if (result === 'issued') this.#issuance.observe(openMs / 1000);
  }

  #note(name: string, reason: Waiting, since: number): void {
    this.#waiting.set(name, { reason, since: this.#waiting.get(name)?.since ?? since });
  }

  #oldestSeconds(): number {
    const now = this.#now();
    return this.#waiting.values().reduce((oldest, { since }) => Math.max(oldest, now - since), 0) / 1000;
  }
}

/** Every waiting reason is present, even at 0. */
function createWaitingGauge(
  registry: Registry,
  { waiting: metric, reasons: names }: RequestMetricsOptions,
  waiting: ReadonlyMap<string, WaitingRequest>,
): void {
  new Gauge({
    ...metric,
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const reason of [...names, RETRY]) this.set({ reason }, 0);
      for (const { reason } of waiting.values()) this.inc({ reason });
    },
  });
}

function createAgeGauge(registry: Registry, metric: Metric, seconds: () => number): void {
  new Gauge({
    ...metric,
    registers: [registry],
    collect() {
      this.set(seconds());
    },
  });
}

/** Returns the reasons for which a request waits. */
export function waitingReasons(names: readonly Reason[]): readonly Reason[] {
  return names.filter(name => reasons[name].outcome === 'wait');
}
