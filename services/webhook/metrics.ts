// What the webhook tells Prometheus. Label values come from closed sets; names of objects and users, which requesters choose,
// never become labels.

import { createCounter } from '@countersign/common/runtime/process/metrics.ts';
import {
  createReflectorMetrics,
  type ReflectorMetrics,
} from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { type Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Refusal } from './admission-review.ts';

/** How an admission ended; `error` is a request that could not be decided about. */
export type AnswerKind = 'allowed' | 'denied' | 'error';

/** Empty when allowed; else the reason of the refusal, or what was wrong with the HTTP request. */
export type AnswerReason = '' | Refusal['reason'] | 'BadRequest' | 'TooLarge' | 'TooMany' | 'WrongContentType';

/**
 * Why a TLS handshake failed: the caller does not trust our certificate, has none from the client CA, hung up, took too long, or does
 * not speak our TLS.
 */
export type HandshakeFailure = 'distrusted' | 'uncertified' | 'closed' | 'timeout' | 'other';

/** What is counted from the start. */
const EXPECTED: readonly (readonly [AnswerKind, AnswerReason])[] = [
  ['allowed', ''],
  ['denied', 'DeniedReference'],
  ['error', 'AccessReviewFailed'],
  ['error', 'InternalError'],
  ['error', 'BadRequest'],
  ['error', 'TooLarge'],
  ['error', 'TooMany'],
  ['error', 'WrongContentType'],
];

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4];

export class WebhookMetrics {
  readonly reflector: ReflectorMetrics;
  readonly #admissions: Counter<'answer' | 'reason'>;
  readonly #seconds: Histogram<'answer'>;
  readonly #inFlight: Gauge;
  readonly #reviewSeconds: Histogram<'result'>;
  readonly #certificateEnds: Gauge;
  readonly #reloads: Counter<'result'>;
  readonly #handshakeFailures: Counter<'cause'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.reflector = createReflectorMetrics(registry);
    this.#admissions = createAdmissionCounter(registry);
    this.#handshakeFailures = createHandshakeCounter(registry);
    this.#seconds = new Histogram({
      name: 'countersign_webhook_admission_duration_seconds',
      help: 'Seconds to answer an admission request, by answer.',
      labelNames: ['answer'],
      buckets: SECONDS,
      registers,
    });
    this.#inFlight = new Gauge({
      name: 'countersign_webhook_admissions_in_flight',
      help: 'Admission requests that are being answered.',
      registers,
    });
    this.#reviewSeconds = new Histogram({
      name: 'countersign_webhook_access_review_duration_seconds',
      help: 'Seconds until it was clear whether a requester may reference an Issuer, by result (granted, missing, error).',
      labelNames: ['result'],
      buckets: SECONDS,
      registers,
    });
    this.#certificateEnds = createEndGauge(registry);
    this.#reloads = createReloadCounter(registry);
  }

  /** Call the returned function with how it ended. */
  startAdmission(): (answer: AnswerKind, reason: AnswerReason) => number {
    const started = performance.now();
    this.#inFlight.inc();
    return (answer, reason) => {
      const milliseconds = performance.now() - started;
      this.#inFlight.dec();
      this.#admissions.inc({ answer, reason });
      this.#seconds.observe({ answer }, milliseconds / 1000);
      return milliseconds;
    };
  }

  /** A request that never became an admission. */
  countUnreadable(reason: AnswerReason): void {
    this.#admissions.inc({ answer: 'error', reason });
  }

  startAccessReview(): (result: 'granted' | 'missing' | 'error') => void {
    const started = performance.now();
    return result => this.#reviewSeconds.observe({ result }, (performance.now() - started) / 1000);
  }

  countReload(result: 'loaded' | 'invalid' | 'unreadable', ends?: Date): void {
    this.#reloads.inc({ result });
    if (ends !== undefined) this.#certificateEnds.set(ends.getTime() / 1000);
  }

  countHandshakeFailure(cause: HandshakeFailure): void {
    this.#handshakeFailures.inc({ cause });
  }
}

function createHandshakeCounter(registry: Registry): Counter<'cause'> {
  return createCounter(registry, {
    name: 'countersign_webhook_tls_handshake_failures_total',
    help: "TLS handshakes that failed, by cause: distrusted (the caller does not take the webhook's certificate; if it is the API server, every CSR for an issuer is refused), uncertified (the caller has no certificate from --client-ca-file), closed, timeout, other.",
    labelNames: ['cause'],
    expected: (['distrusted', 'uncertified', 'closed', 'timeout', 'other'] as const).map(cause => ({ cause })),
  });
}

function createAdmissionCounter(registry: Registry): Counter<'answer' | 'reason'> {
  return createCounter(registry, {
    name: 'countersign_webhook_admissions_total',
    help: 'Admission requests, by answer (allowed, denied, error) and reason.',
    labelNames: ['answer', 'reason'],
    expected: EXPECTED.map(([answer, reason]) => ({ answer, reason })),
  });
}

function createEndGauge(registry: Registry): Gauge {
  const ends = new Gauge({
    name: 'countersign_webhook_serving_certificate_not_after_timestamp_seconds',
    help: 'When the serving certificate in use ends (Unix time); absent before there is one.',
    registers: [registry],
  });
  // Else it would be 0: a certificate that ended in 1970.
  ends.remove();
  return ends;
}

function createReloadCounter(registry: Registry): Counter<'result'> {
  return createCounter(registry, {
    name: 'countersign_webhook_serving_certificate_reloads_total',
    help: 'New serving certificates (loaded), and looks in vain (invalid, unreadable: the old one stays), by result.',
    labelNames: ['result'],
    expected: ['loaded', 'invalid', 'unreadable'].map(result => ({ result })),
  });
}
