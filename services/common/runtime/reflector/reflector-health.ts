// Whether what reflectors keep can be trusted, as readiness and a new leader want to know it.

import type { Reflector } from './reflector.ts';

type AnyReflector = Pick<Reflector<never>, 'name' | 'hasSynced' | 'isFresh' | 'listAgain'>;

/** Why the cache cannot be trusted, one line a resource; empty when it can. */
export function problemsOf(reflectors: readonly AnyReflector[], now: number): string[] {
  return reflectors.flatMap(reflector => {
    if (!reflector.hasSynced) return [`${reflector.name}: not listed yet`];
    return reflector.isFresh(now) ? [] : [`${reflector.name}: stale, no recent response from the API server`];
  });
}

/** Lists at once what may be out of date, as after a spell in which the API server did not answer. */
export function refreshStale(reflectors: readonly AnyReflector[], now: number): void {
  for (const reflector of reflectors) if (reflector.hasSynced && !reflector.isFresh(now)) reflector.listAgain();
}
