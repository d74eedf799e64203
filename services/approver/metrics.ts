// What the approver reports to Prometheus. Label values come from closed sets; names of objects, which requesters
// choose, never become labels.

import type { ApprovalReason } from '@countersign/common/approval/explain.ts';
import { ControllerMetrics } from '@countersign/common/runtime/controller/controller-metrics.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Outcome } from './reconcile.ts';

const RETRY = 'Retry';
const WAITING: readonly string[] = [
  'NoApprovalPolicy',
  'PolicyMismatch',
  'PolicyInvalid',
] satisfies readonly ApprovalReason[];

export class ApproverMetrics extends ControllerMetrics {
  /** The reason why each request waits, by its name. */
  readonly #waiting = new Map<string, string>();
  readonly #decisions: Counter<'decision'>;
  readonly #policies: Gauge<'state'>;

  constructor(registry: Registry) {
    super(registry, {
      name: 'countersign_approver_errors_total',
      help: 'Runs that failed, by queue and code; forbidden and invalid need someone to act.',
    });
    const registers = [registry];
    this.#decisions = new Counter({
      name: 'countersign_approvals_total',
      help: 'CSRs that the approver decided on, by decision (approved, denied).',
      labelNames: ['decision'],
      registers,
    });
    for (const decision of ['approved', 'denied']) this.#decisions.inc({ decision }, 0);
    this.#policies = new Gauge({
      name: 'countersign_approval_policies',
      help: 'ApprovalPolicies, by state (valid, invalid).',
      labelNames: ['state'],
      registers,
    });
    this.setPolicies(0, 0);
    createWaitingGauge(registry, this.#waiting);
  }

  override leading(isLeading: boolean): void {
    super.leading(isLeading);
    if (!isLeading) this.#waiting.clear();
  }

  setPolicies(valid: number, invalid: number): void {
    this.#policies.set({ state: 'valid' }, valid);
    this.#policies.set({ state: 'invalid' }, invalid);
  }

  report(name: string, outcome: Outcome): void {
    if (outcome.kind === 'waiting') this.#waiting.set(name, outcome.reason);
    else this.#waiting.delete(name);
    if (outcome.kind === 'approved' || outcome.kind === 'denied') this.#decisions.inc({ decision: outcome.kind });
  }

  retrying(name: string, willRetry: boolean): void {
    if (willRetry) this.#waiting.set(name, RETRY);
    else this.#waiting.delete(name);
  }

  forget(name: string): void {
    this.#waiting.delete(name);
  }
}

/** A gauge by reason, computed from what waits at the moment of the scrape; every reason is there, also at 0. */
function createWaitingGauge(registry: Registry, waiting: ReadonlyMap<string, string>): void {
  new Gauge({
    name: 'countersign_approvals_waiting',
    help: 'CSRs that no policy decides on, by reason: no policy selects them, none allows them, an invalid policy holds them back, or (Retry) an error is retried.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const reason of [...WAITING, RETRY]) this.set({ reason }, 0);
      for (const reason of waiting.values()) this.inc({ reason });
    },
  });
}
