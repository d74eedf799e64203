// The webhook's Prometheus metrics. Label values come from closed sets; names of objects and users, which requesters
// choose, never become labels.

import { createCounter } from '@countersign/common/runtime/process/metrics.ts';
import {
  createReflectorMetrics,
  type ReflectorMetrics,
} from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { type Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Refusal } from './admission-review.ts';

/** The outcome of an admission; `error` means that the webhook could not decide. */
export type AnswerKind = 'allowed' | 'denied' | 'error';

/** Empty when allowed; otherwise the reason of the denial, or what was wrong with the HTTP request. */
export type AnswerReason = '' | Refusal['reason'] | 'BadRequest' | 'TooLarge' | 'TooMany' | 'WrongContentType';

/**
 * Why a TLS handshake failed: the caller does not trust the serving certificate, has no certificate from the client CA,
 * closed the connection, timed out, or anything else.
 */
export type HandshakeFailure = 'distrusted' | 'uncertified' | 'closed' | 'timeout' | 'other';

/** Label values that are exported as 0 from the start. */
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
  readonly #notAfter: Gauge;
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
      help: 'Admission requests in flight.',
      registers,
    });
    this.#reviewSeconds = new Histogram({
      name: 'countersign_webhook_access_review_duration_seconds',
      help: 'Seconds to review whether a requester may reference an issuer, by result (granted, missing, error).',
      labelNames: ['result'],
      buckets: SECONDS,
      registers,
    });
    this.#notAfter = createExpiryGauge(registry);
    this.#reloads = createReloadCounter(registry);
  }

  /** Call the returned function with the outcome. */
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

  /** Counts a request that could not be decoded. */
  countUnreadable(reason: AnswerReason): void {
    this.#admissions.inc({ answer: 'error', reason });
  }

  startAccessReview(): (result: 'granted' | 'missing' | 'error') => void {
    const started = performance.now();
    return result => this.#reviewSeconds.observe({ result }, (performance.now() - started) / 1000);
  }

  countReload(result: 'loaded' | 'invalid' | 'unreadable', notAfter?: Date): void {
    this.#reloads.inc({ result });
    if (notAfter !== undefined) this.#notAfter.set(notAfter.getTime() / 1000);
  }

  countHandshakeFailure(cause: HandshakeFailure): void {
    this.#handshakeFailures.inc({ cause });
  }
}

function createHandshakeCounter(registry: Registry): Counter<'cause'> {
  return createCounter(registry, {
    name: 'countersign_webhook_tls_handshake_failures_total',
    help: "Failed TLS handshakes, by cause: distrusted (the caller does not trust the webhook's certificate; if the caller is the API server, every CSR for an issuer is denied), uncertified (the caller has no certificate from --client-ca-file), closed, timeout, other.",
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

function createExpiryGauge(registry: Registry): Gauge {
  const gauge = new Gauge({
    name: 'countersign_webhook_serving_certificate_not_after_timestamp_seconds',
    help: 'When the serving certificate in use expires (Unix time); absent until one is loaded.',
    registers: [registry],
  });
  // Otherwise it would be 0: a certificate that expired in 1970.
  gauge.remove();
  return gauge;
}

function createReloadCounter(registry: Registry): Counter<'result'> {
  return createCounter(registry, {
    name: 'countersign_webhook_serving_certificate_reloads_total',
    help: 'Serving certificate reloads, by result: loaded (new certificate), or failed (invalid, unreadable); the previous certificate stays in use.',
    labelNames: ['result'],
    expected: ['loaded', 'invalid', 'unreadable'].map(result => ({ result })),
  });
}
