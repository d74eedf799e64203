// The Prometheus registry of one process, and the metrics of its requests to the API server. Never uses the library's
// global registry; label values come from closed sets only.

import { Counter, collectDefaultMetrics, Gauge, Histogram, type LabelValues, Registry } from 'prom-client';
import type { RequestObserver } from '../kube/kube-connection.ts';
import { MEAN_TRUNCATION_MS } from '../kube/server-clock.ts';

/** A registry with the metrics of the process (process_*, nodejs_*). */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface CounterOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  /** The series that exist from the start: an increase is visible only from an existing value, even 0. */
  readonly expected: readonly LabelValues<Label>[];
}

export function createCounter<Label extends string>(
  registry: Registry,
  { name, help, labelNames, expected }: CounterOptions<Label>,
): Counter<Label> {
  const counter = new Counter({ name, help, labelNames, registers: [registry] });
  for (const labels of expected) counter.inc(labels, 0);
  return counter;
}

/**
 * Counts the requests to the API server under the names of client-go (rest_client_*), and measures the offset of
 * its clock.
 */
export function createRequestObserver(registry: Registry): RequestObserver {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server, by HTTP status code ("<error>": no response), method and host.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Seconds until the API server responds (for a watch: until it starts), by method and host.',
    labelNames: ['verb', 'host'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    registers: [registry],
  });
  const offset = new Gauge({
    name: 'countersign_clock_offset_seconds',
    help: 'Seconds by which the clock of this process is ahead of the API server, from its last response; accurate to about one second.',
    registers: [registry],
  });
  return observation => {
    const { code, method, host, serverTime = NaN } = observation;
    requests.inc({ code, method, host });
    seconds.observe({ verb: method, host }, observation.seconds);
    if (Number.isFinite(serverTime)) offset.set((Date.now() - serverTime - MEAN_TRUNCATION_MS) / 1000);
  };
}
