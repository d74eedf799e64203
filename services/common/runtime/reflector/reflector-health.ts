// Whether the caches of reflectors can be trusted, for readiness and for a new leader.

import type { Reflector } from './reflector.ts';

type AnyReflector = Pick<Reflector<never>, 'name' | 'hasSynced' | 'isAbsent' | 'isBarred' | 'isFresh' | 'relist'>;

/** Why the cache cannot be trusted, one line for each resource; empty if it can. */
export function problemsOf(reflectors: readonly AnyReflector[], now: number): string[] {
  return reflectors.flatMap(reflector => {
    if (reflector.isAbsent || reflector.isBarred) return [];
    if (!reflector.hasSynced) return [`${reflector.name}: not listed yet`];
    return reflector.isFresh(now) ? [] : [`${reflector.name}: stale, no recent response from the API server`];
  });
}

/** Lists stale caches again at once, as after a time without answers from the API server. */
export function refreshStale(reflectors: readonly AnyReflector[], now: number): void {
  for (const reflector of reflectors) if (reflector.hasSynced && !reflector.isFresh(now)) reflector.relist();
}
