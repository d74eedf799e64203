// The metrics of the work queues, under the names of client-go and controller-runtime, so that existing
// dashboards work.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { QueueObserver } from './work-queue.ts';

const LABELS = { labelNames: ['name'] as const };
const SECONDS = { buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10, 60] };

/** Registers the metrics once and returns an observer for each queue name. */
export function createQueueObserver(registry: Registry): (name: string) => QueueObserver {
  const common = { ...LABELS, registers: [registry] };
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Keys waiting for a worker.', ...common });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys added.', ...common });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Retries after a failure.', ...common });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Seconds a key waits for a worker.',
    ...SECONDS,
    ...common,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Seconds to process a key.',
    ...SECONDS,
    ...common,
  });
  return name => ({
    depth: size => depth.set({ name }, size),
    added: () => adds.inc({ name }),
    retried: () => retries.inc({ name }),
    started: seconds => waited.observe({ name }, seconds),
    finished: seconds => worked.observe({ name }, seconds),
  });
}
