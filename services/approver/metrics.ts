// What the approver reports to Prometheus. Label values come from closed sets; names of objects, which requesters
// choose, never become labels.

import type { ApprovalReason } from '@countersign/common/approval/explain.ts';
import { createQueueObserver } from '@countersign/common/runtime/controller/queue-metrics.ts';
import type { QueueObserver } from '@countersign/common/runtime/controller/work-queue.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import {
  createReflectorMetrics,
  type ReflectorMetrics,
} from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Outcome } from './reconcile.ts';

const RETRY = 'Retry';
const WAITING: readonly string[] = [
  'NoApprovalPolicy',
  'PolicyMismatch',
  'PolicyInvalid',
] satisfies readonly ApprovalReason[];
/** Someone has to act on these. */
const ACT_ON = ['forbidden', 'invalid'] as const;

export class ApproverMetrics {
  readonly reflector: ReflectorMetrics;
  readonly #observeQueue: (name: string) => QueueObserver;
  /** The reason why each request waits, by its name. */
  readonly #waiting = new Map<string, string>();
  readonly #decisions: Counter<'decision'>;
  readonly #errors: Counter<'queue' | 'code'>;
  readonly #leader: Gauge;
  readonly #policies: Gauge<'state'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.reflector = createReflectorMetrics(registry);
    this.#observeQueue = createQueueObserver(registry);
    this.#decisions = new Counter({
      name: 'countersign_approvals_total',
      help: 'CSRs that the approver decided on, by decision (approved, denied).',
      labelNames: ['decision'],
      registers,
    });
    for (const decision of ['approved', 'denied']) this.#decisions.inc({ decision }, 0);
    this.#errors = new Counter({
      name: 'countersign_approver_errors_total',
      help: 'Runs that failed, by queue and code; forbidden and invalid need someone to act.',
      labelNames: ['queue', 'code'],
      registers,
    });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this replica is the leader, or runs without leader election; otherwise 0.',
      registers,
    });
    this.#policies = new Gauge({
      name: 'countersign_approval_policies',
      help: 'ApprovalPolicies, by state (valid, invalid).',
      labelNames: ['state'],
      registers,
    });
    this.setPolicies(0, 0);
    createWaitingGauge(registry, this.#waiting);
  }

  /** Initializes the errors with 0, so that their first increase is visible. */
  queue(name: string): QueueObserver {
    for (const code of ACT_ON) this.#errors.inc({ queue: name, code }, 0);
    return this.#observeQueue(name);
  }

  leading(isLeading: boolean): void {
    this.#leader.set(isLeading ? 1 : 0);
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

  failed(queue: string, error: unknown): void {
    this.#errors.inc({ queue, code: asClassifiedError(error).code });
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
