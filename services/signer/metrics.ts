// What the signer tells Prometheus. Label values come from closed sets; names of objects, which requesters choose, never
// become labels.

import { csrReasons, type Reason } from '@countersign/common/reasons.ts';
import { createQueueObserver } from '@countersign/common/runtime/controller/queue-metrics.ts';
import type { QueueObserver } from '@countersign/common/runtime/controller/work-queue.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import {
  createReflectorMetrics,
  type ReflectorMetrics,
} from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { formatSignerName, type IssuerKind, type SignerRef } from '@countersign/common/signer-name.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from './effect.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Somebody has to act on the first of these. */
const ACT_ON = ['forbidden', 'invalid'] as const;

/** What a CSR waits for: a reason of its events, or another try after an error (countersign_work_errors_total). */
type Waiting = Reason | typeof RETRY;
const RETRY = 'Retry';

interface CaEnd {
  readonly kind: IssuerKind;
  readonly ends: number;
}

export class SignerMetrics {
  readonly reflector: ReflectorMetrics;
  readonly #observeQueue: (name: string) => QueueObserver;
  /** The reason why each request waits, by its key: a gauge is made of it when Prometheus asks. */
  readonly #waiting = new Map<string, Waiting>();
  /** When the CA of each issuer ends, by signer name; ms since 1970. */
  readonly #ends = new Map<string, CaEnd>();
  readonly #certificates: Counter<'issuer_type' | 'result' | 'reason'>;
  readonly #issuance: Histogram;
  readonly #errors: Counter<'queue' | 'code'>;
  readonly #leader: Gauge;

  constructor(registry: Registry) {
    this.reflector = createReflectorMetrics(registry);
    this.#certificates = new Counter({
      name: 'countersign_certificates_total',
      help: 'CSRs processed to completion, by issuer type, result (issued, failed, repaired) and reason.',
      labelNames: ['issuer_type', 'result', 'reason'],
      registers: [registry],
    });
    this.#issuance = new Histogram({
      name: 'countersign_approval_to_certificate_seconds',
      help: 'Seconds from the approval of a CSR to its certificate.',
      buckets: SECONDS,
      registers: [registry],
    });
    this.#errors = new Counter({
      name: 'countersign_work_errors_total',
      help: 'Failed reconciles, and certificates that failed verification or were rejected by the API server, by queue and error code; forbidden and invalid require action.',
      labelNames: ['queue', 'code'],
      registers: [registry],
    });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this replica is the leader (holds the Lease, or runs without leader election), otherwise 0.',
      registers: [registry],
    });
    createWaitingGauge(registry, this.#waiting);
    createEndsGauge(registry, this.#ends);
    this.#observeQueue = createQueueObserver(registry);
  }

  /** Called before there are errors: an increase is seen only where there was something before, be it 0. */
  queue(name: string): QueueObserver {
    for (const code of ACT_ON) this.#errors.inc({ queue: name, code }, 0);
    return this.#observeQueue(name);
  }

  leading(isLeading: boolean): void {
    this.#leader.set(isLeading ? 1 : 0);
    if (isLeading) return;
    this.#waiting.clear();
    this.#ends.clear();
  }

  /** When the CA of an issuer ends, undefined without one. Gives whether that is news. */
  readonly noteEnd = (ref: SignerRef, ends: Date | undefined): boolean => {
    const name = formatSignerName(ref);
    const before = this.#ends.get(name)?.ends;
    if (ends === undefined) this.#ends.delete(name);
    else this.#ends.set(name, { kind: ref.kind, ends: ends.getTime() });
    return before !== ends?.getTime();
  };

  failed(queue: string, error: unknown): void {
    this.#errors.inc({ queue, code: asClassifiedError(error).code });
  }

  /** The work on a CSR has failed; it waits for another try unless it was given up. */
  retrying(key: string, willRetry: boolean): void {
    if (willRetry) this.#waiting.set(key, RETRY);
    else this.#waiting.delete(key);
  }

  forgetWaiting(key: string): void {
    this.#waiting.delete(key);
  }

  /** `key` tells the request from all others; `openMs` is how long it could have been signed already. */
  reportOutcome(key: string, { result, reason, issuerType }: Outcome, openMs: number): void {
    if (result === 'waiting' && reason !== undefined) this.#waiting.set(key, reason);
    else this.#waiting.delete(key);
    if (result === 'waiting' || result === 'ignored') return;
    this.#certificates.inc({ issuer_type: issuerType, result, reason: reason ?? '' });
    if (result === 'issued') this.#issuance.observe(openMs / 1000);
  }
}

/** A gauge by reason, made of what waits at the moment of the scrape; every waiting reason is there, also at 0. */
function createWaitingGauge(registry: Registry, waiting: ReadonlyMap<string, Waiting>): void {
  new Gauge({
    name: 'countersign_requests_waiting',
    help: 'CSRs waiting, by reason: for approval, an issuer, a Secret, or (Retry) another attempt after an error.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, { outcome }] of Object.entries(csrReasons)) if (outcome === 'wait') this.set({ reason }, 0);
      this.set({ reason: RETRY }, 0);
      for (const reason of waiting.values()) this.inc({ reason });
    },
  });
}

/** The first end of each kind of issuer: which issuer it is, the log tells. No series where there is no CA. */
function createEndsGauge(registry: Registry, ends: ReadonlyMap<string, CaEnd>): void {
  new Gauge({
    name: 'countersign_ca_not_after_timestamp_seconds',
    help: 'Earliest expiry (Unix time) among the CAs of issuers whose Ready condition this signer maintains, by issuer kind.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, ofKind] of Map.groupBy(ends.values(), each => each.kind)) {
        this.set({ kind }, Math.min(...ofKind.map(each => each.ends)) / 1000);
      }
    },
  });
}
