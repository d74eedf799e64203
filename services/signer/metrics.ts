// The signer's Prometheus metrics. Label values come from closed sets; object names, which requesters choose, are
// never labels.

import { type IssuerType, issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { csrReasons, POD_WAITING_REASONS, type Reason } from '@countersign/common/reasons/reasons.ts';
import { ControllerMetrics } from '@countersign/common/runtime/controller/controller-metrics.ts';
import { formatSignerName, type IssuerKind, type IssuerRef } from '@countersign/common/signer-name.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import { VaultMetrics } from './issuers/vault/vault-metrics.ts';
import { RequestMetrics, type RequestMetricsOptions, waitingReasons } from './request-metrics.ts';
import type { RequestKindName } from './requests/request-kind.ts';
import { BundleMetrics } from './trust-bundles/bundle-metrics.ts';

/** Each kind of request has its own metrics. */
const REQUEST_METRICS = {
  csr: {
    certificates: {
      name: 'countersign_certificates_total',
      help: 'CSRs processed to completion, by issuer type, result (issued, failed, repaired) and reason.',
    },
    refusal: 'failed',
    issuance: {
      name: 'countersign_approval_to_certificate_seconds',
      help: 'Seconds from the approval of a CSR to its certificate, by issuer type.',
    },
    waiting: {
      name: 'countersign_requests_waiting',
      help: 'CSRs waiting, by reason (for approval, an issuer, a Secret, a server, or (Retry) another attempt after an error) and issuer type (absent while it is not known).',
    },
    oldestWaiting: {
      name: 'countersign_request_oldest_waiting_seconds',
      help: 'Time since the approval of the oldest approved CSR without a certificate, by the reason for which it waits and issuer type. Absent if none waits.',
      isByReason: true,
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
      help: 'Seconds from the receipt of a PodCertificateRequest to its certificate, by issuer type.',
    },
    waiting: {
      name: 'countersign_pod_requests_waiting',
      help: 'PodCertificateRequests waiting, by reason (for a permission, an issuer, a Secret, or (Retry) another attempt after an error) and issuer type (absent while it is not known).',
    },
    oldestWaiting: {
      name: 'countersign_pod_request_oldest_waiting_seconds',
      help: 'Age of the oldest waiting PodCertificateRequest; its pod cannot start, or cannot renew its certificate.',
      isByReason: false,
    },
    reasons: POD_WAITING_REASONS,
  },
} satisfies Readonly<Record<RequestKindName, RequestMetricsOptions>>;

interface CaExpiry {
  readonly kind: IssuerKind;
  readonly expiresAt: number;
}

export class SignerMetrics extends ControllerMetrics {
  readonly requests: Readonly<Record<RequestKindName, RequestMetrics>>;
  readonly bundles: BundleMetrics;
  readonly vault: VaultMetrics;
  readonly #otherSigners: Counter<'issuer_type'>;
  /** When each issuer's CA expires, by signer name; ms since 1970. */
  readonly #expiries = new Map<string, CaExpiry>();

  constructor(registry: Registry) {
    super(registry, {
      name: 'countersign_work_errors_total',
      help: 'Failed reconciles, and certificates that failed verification or were rejected by the API server, by queue and error code; forbidden and invalid require action.',
    });
    this.requests = {
      csr: new RequestMetrics(registry, REQUEST_METRICS.csr),
      pod: new RequestMetrics(registry, REQUEST_METRICS.pod),
    };
    this.bundles = new BundleMetrics(registry);
    this.vault = new VaultMetrics(registry);
    this.#otherSigners = createOtherSignersCounter(registry);
    createExpiryGauge(registry, this.#expiries);
  }

  override leading(isLeading: boolean): void {
    super.leading(isLeading);
    if (isLeading) return;
    for (const metrics of Object.values(this.requests)) metrics.clear();
    this.#expiries.clear();
    this.bundles.clear();
  }

  /** Another signer ended a request that this one was to sign. */
  countOtherSigner(issuerType: IssuerType): void {
    this.#otherSigners.inc({ issuer_type: issuerType });
  }

  /** Records when an issuer's CA expires (undefined: it has no CA). Returns whether that changed. */
  readonly recordCaExpiry = (ref: IssuerRef, notAfter: Date | undefined): boolean => {
    const name = formatSignerName(ref);
    const before = this.#expiries.get(name)?.expiresAt;
    if (notAfter === undefined) this.#expiries.delete(name);
    else this.#expiries.set(name, { kind: ref.kind, expiresAt: notAfter.getTime() });
    return before !== notAfter?.getTime();
  };
}

/** Every series exists from the start: Prometheus sees an increase only of a series that it already knows. */
function createOtherSignersCounter(registry: Registry): Counter<'issuer_type'> {
  const counter = new Counter({
    name: 'countersign_foreign_completions_total',
    help: 'Requests that another signer issued or failed while this signer was to sign them, by issuer type.',
    labelNames: ['issuer_type'],
    registers: [registry],
  });
  for (const type of Object.keys(issuerTypes)) counter.inc({ issuer_type: type }, 0);
  return counter;
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
