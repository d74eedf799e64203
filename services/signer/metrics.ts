// What the signer tells Prometheus. Label values come from closed sets; names of objects, which requesters choose, never
// become labels.

import { csrReasons, POD_WAITING_REASONS, type Reason } from '@countersign/common/reasons.ts';
import { createQueueObserver } from '@countersign/common/runtime/controller/queue-metrics.ts';
import type { QueueObserver } from '@countersign/common/runtime/controller/work-queue.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import {
  createReflectorMetrics,
  type ReflectorMetrics,
} from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { formatSignerName, type IssuerKind, type SignerRef } from '@countersign/common/signer-name.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import { RequestMetrics, type RequestMetricsOptions, waitingReasons } from './request-metrics.ts';
import type { RequestKindName } from './requests/request-kind.ts';
import { BundleMetrics } from './trust-bundles/bundle-metrics.ts';

/** Somebody has to act on the first of these. */
const ACT_ON = ['forbidden', 'invalid'] as const;

/** Each kind of request has metrics of its own: of a pod's, other things are worth an alert. */
const REQUEST_METRICS = {
  csr: {
    certificates: {
      name: 'countersign_certificates_total',
      help: 'CSRs that came to an end, by type of issuer, result (issued, failed, repaired) and reason.',
    },
    refusal: 'failed',
    issuance: {
      name: 'countersign_approval_to_certificate_seconds',
      help: 'Seconds from the approval of a CSR to its certificate.',
    },
    waiting: {
      name: 'countersign_requests_waiting',
      help: 'CSRs that wait, by reason: for an approval, an issuer, a Secret, or (Retry) for another try after an error.',
    },
    reasons: waitingReasons(Object.keys(csrReasons) as Reason[]),
  },
  pod: {
    certificates: {
      name: 'countersign_pod_certificates_total',
      help: 'PodCertificateRequests processed to completion, by issuer type, result (issued, denied) and reason.',
    },
    refusal: 'denied',
    issuance: {
      name: 'countersign_pod_request_to_certificate_seconds',
      help: 'Seconds from the receipt of a PodCertificateRequest to its certificate.',
    },
    waiting: {
      name: 'countersign_pod_requests_waiting',
      help: 'PodCertificateRequests that wait, by reason: for a permission, an issuer, a Secret, or (Retry) for another try after an error.',
    },
    oldestWaiting: {
      name: 'countersign_pod_request_oldest_waiting_seconds',
      help: 'How long the oldest waiting PodCertificateRequest has waited; its pod does not start, or cannot renew its certificate.',
    },
    reasons: POD_WAITING_REASONS,
  },
} satisfies Readonly<Record<RequestKindName, RequestMetricsOptions>>;

interface CaEnd {
  readonly kind: IssuerKind;
  readonly ends: number;
}

export class SignerMetrics {
  readonly reflector: ReflectorMetrics;
  readonly requests: Readonly<Record<RequestKindName, RequestMetrics>>;
  readonly bundles: BundleMetrics;
  readonly #observeQueue: (name: string) => QueueObserver;
  /** When the CA of each issuer ends, by signer name; ms since 1970. */
  readonly #ends = new Map<string, CaEnd>();
  readonly #errors: Counter<'queue' | 'code'>;
  readonly #leader: Gauge;

  constructor(registry: Registry) {
    this.reflector = createReflectorMetrics(registry);
    this.requests = {
      csr: new RequestMetrics(registry, REQUEST_METRICS.csr),
      pod: new RequestMetrics(registry, REQUEST_METRICS.pod),
    };
    this.bundles = new BundleMetrics(registry);
    this.#errors = new Counter({
      name: 'countersign_work_errors_total',
      help: 'Runs that failed, and certificates that did not verify or that the API server rejected, by queue and code; forbidden and invalid mean that somebody has to act.',
      labelNames: ['queue', 'code'],
      registers: [registry],
    });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this replica leads: holds the lease, or runs without leader election; else 0.',
      registers: [registry],
    });
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
    for (const metrics of Object.values(this.requests)) metrics.clear();
    this.#ends.clear();
    this.bundles.clear();
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
}

/** The first end of each kind of issuer: which issuer it is, the log tells. No series where there is no CA. */
function createEndsGauge(registry: Registry, ends: ReadonlyMap<string, CaEnd>): void {
  new Gauge({
    name: 'countersign_ca_not_after_timestamp_seconds',
    help: 'When the first CA of the issuers ends whose Ready condition is kept here (Unix time), by kind of issuer.',
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
