// The signer's Prometheus metrics. Label values come from closed sets; object names, which requesters choose, are never
// labels.

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

/** Error codes for which a single occurrence requires action. */
const ACTIONABLE_CODES = ['forbidden', 'invalid'] as const;

/** Why a CSR waits: the reason of its event, or a retry after an error (countersign_work_errors_total). */
type Waiting = Reason | typeof RETRY;
const RETRY = 'Retry';

interface CaExpiry {
  readonly kind: IssuerKind;
  readonly expiresAt: number;
}

export class SignerMetrics {
  readonly reflector: ReflectorMetrics;
  readonly #observeQueue: (name: string) => QueueObserver;
  /** Why each request waits, by key. The gauge is computed from it at scrape time. */
  readonly #waiting = new Map<string, Waiting>();
  /** When each issuer's CA expires, by signer name; ms since 1970. */
  readonly #expiries = new Map<string, CaExpiry>();
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
    createExpiryGauge(registry, this.#expiries);
    this.#observeQueue = createQueueObserver(registry);
  }

  /** Called before any error occurs: increase() needs a previous sample, even if it is 0. */
  queue(name: string): QueueObserver {
    for (const code of ACTIONABLE_CODES) this.#errors.inc({ queue: name, code }, 0);
    return this.#observeQueue(name);
  }

  leading(isLeading: boolean): void {
    this.#leader.set(isLeading ? 1 : 0);
    if (isLeading) return;
    this.#waiting.clear();
    this.#expiries.clear();
  }

  /** Records when an issuer's CA expires (undefined: it has no CA). Returns whether that changed. */
  readonly noteEnd = (ref: SignerRef, notAfter: Date | undefined): boolean => {
    const name = formatSignerName(ref);
    const before = this.#expiries.get(name)?.expiresAt;
    if (notAfter === undefined) this.#expiries.delete(name);
    else this.#expiries.set(name, { kind: ref.kind, expiresAt: notAfter.getTime() });
    return before !== notAfter?.getTime();
  };

  failed(queue: string, error: unknown): void {
    this.#errors.inc({ queue, code: asClassifiedError(error).code });
  }

  /** Records that reconciling a CSR failed: it waits for a retry, unless it was given up. */
  retrying(key: string, willRetry: boolean): void {
    if (willRetry) this.#waiting.set(key, RETRY);
    else this.#waiting.delete(key);
  }

  forgetWaiting(key: string): void {
    this.#waiting.delete(key);
  }

  /** `key` identifies the request; `openMs` is how long it could have been signed already. */
  reportOutcome(key: string, { result, reason, issuerType }: Outcome, openMs: number): void {
    if (result === 'waiting' && reason !== undefined) this.#waiting.set(key, reason);
    else this.#waiting.delete(key);
    if (result === 'waiting' || result === 'ignored') return;
    this.#certificates.inc({ issuer_type: issuerType, result, reason: reason ?? '' });
    if (result === 'issued') this.#issuance.observe(openMs / 1000);
  }
}

/** A gauge by reason, computed at scrape time. Every waiting reason is present, even at 0. */
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

/** The earliest expiry for each issuer kind; the log says which issuer it is. No series without a CA. */
function createExpiryGauge(registry: Registry, expiries: ReadonlyMap<string, CaExpiry>): void {
  new Gauge({
    name: 'countersign_ca_not_after_timestamp_seconds',
    help: 'Earliest expiry (Unix time) among the CAs of issuers whose Ready condition this signer maintains, by issuer kind.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, ofKind] of Map.groupBy(expiries.values(), each => each.kind)) {
        this.set({ kind }, Math.min(...ofKind.map(each => each.expiresAt)) / 1000);
      }
    },
  });
}
