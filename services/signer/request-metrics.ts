// What the signer tells Prometheus about the requests of one kind: how they ended, how long that took, what waits and why.

import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from './effect.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** What a request waits for: a reason of its events, or another try after an error (countersign_work_errors_total). */
type Waiting = Reason | typeof RETRY;
const RETRY = 'Retry';

interface Metric {
  readonly name: string;
  readonly help: string;
}

export interface RequestMetricsOptions {
  /** By issuer type, result and reason. */
  readonly certificates: Metric;
  /** The result of a request that was refused for good, as the condition of its kind is called. */
  readonly refusal: 'failed' | 'denied';
  /** A histogram of seconds. */
  readonly issuance: Metric;
  /** By reason. */
  readonly waiting: Metric;
  /** Seconds that the request has waited which has waited longest, if that is measured. */
  readonly oldestWaiting?: Metric;
  /** The reasons to wait, all of which the gauge has from the start, at 0. */
  readonly reasons: readonly Reason[];
}

/** When a request began to wait, and for what. */
interface WaitingRequest {
  readonly reason: Waiting;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export class RequestMetrics {
  /** By name: the gauges are made of it when Prometheus asks. */
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

  /** Another replica leads. */
  clear(): void {
    this.#waiting.clear();
  }

  /** The work on a request has failed; it waits for another try unless it was given up. */
  retrying(name: string, willRetry: boolean): void {
    if (willRetry) this.#note(name, RETRY, this.#now());
    else this.#waiting.delete(name);
  }

  forgetWaiting(name: string): void {
    this.#waiting.delete(name);
  }

  /** `openMs` is how long the request could have been signed already. */
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
    const first = Math.min(...this.#waiting.values().map(({ since }) => since));
    return this.#waiting.size === 0 ? 0 : Math.max(0, this.#now() - first) / 1000;
  }
}

/** Every reason to wait is there, also at 0. */
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

/** Those of a table of reasons for which a request waits. */
export function waitingReasons(names: readonly Reason[]): readonly Reason[] {
  return names.filter(name => reasons[name].outcome === 'wait');
}
