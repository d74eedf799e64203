// The Prometheus metrics of reflectors, by name.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { ReflectorMetrics } from './reflector.ts';

export type { ReflectorMetrics };

/** One set of metrics for all reflectors of a process. */
export function createReflectorMetrics(registry: Registry): ReflectorMetrics {
  const registers = [registry];
  const lists = new Counter({
    name: 'reflector_lists_total',
    help: 'Full lists read: one at startup, more only after a gap in the watch.',
    labelNames: ['name'],
    registers,
  });
  const ends = new Counter({
    name: 'reflector_watch_ends_total',
    help: 'Watches that ended, by reason: "closed" when the server closed it normally, otherwise the error code.',
    labelNames: ['name', 'reason'],
    registers,
  });
  const items = new Gauge({
    name: 'reflector_items',
    help: 'Objects in the cache.',
    labelNames: ['name'],
    registers,
  });
  return {
    onList: name => lists.inc({ name }),
    onWatchEnd: (name, reason) => ends.inc({ name, reason }),
    setSize: (name, size) => items.set({ name }, size),
  };
}
