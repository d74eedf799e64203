// The metrics that every controller has: its reflectors and queues, failed work, and whether it is the leader.

import { Counter, Gauge, type Registry } from 'prom-client';
import { asClassifiedError } from '../errors.ts';
import { createReflectorMetrics, type ReflectorMetrics } from '../reflector/reflector-metrics.ts';
import { createQueueObserver } from './queue-metrics.ts';
import type { QueueObserver } from './work-queue.ts';

/** Error codes for which a single occurrence requires action. */
const ACTIONABLE_CODES = ['forbidden', 'invalid'] as const;

export class ControllerMetrics {
  readonly reflector: ReflectorMetrics;
  readonly #observeQueue: (name: string) => QueueObserver;
  readonly #errors: Counter<'queue' | 'code'>;
  readonly #leader: Gauge;

  /** `errors` counts failed work. */
  constructor(registry: Registry, errors: { readonly name: string; readonly help: string }) {
    this.reflector = createReflectorMetrics(registry);
    this.#observeQueue = createQueueObserver(registry);
    this.#errors = new Counter({ ...errors, labelNames: ['queue', 'code'], registers: [registry] });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this replica is the leader (holds the Lease, or runs without leader election), otherwise 0.',
      registers: [registry],
    });
  }

  /** Called before any error occurs: increase() needs a previous sample, even if it is 0. */
  queue(name: string): QueueObserver {
    for (const code of ACTIONABLE_CODES) this.#errors.inc({ queue: name, code }, 0);
    return this.#observeQueue(name);
  }

  failed(queue: string, error: unknown): void {
    this.#errors.inc({ queue, code: asClassifiedError(error).code });
  }

  leading(isLeading: boolean): void {
    this.#leader.set(isLeading ? 1 : 0);
  }
}
