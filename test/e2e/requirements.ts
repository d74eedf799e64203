// Whether this machine can run end-to-end tests. If not, they are skipped with the reason; in CI they fail with it.

import { requirementOf } from '../support/continuous-integration.ts';
import { findPrograms, type Programs } from '../support/node/programs.ts';

const found = findPrograms();

/** Options for node:test. */
export const requirement = requirementOf(found);

/** Call only in tests that are not skipped. */
export function requirePrograms(): Programs {
  if (typeof found === 'string') throw new Error(found);
  return found;
}
