// Whether end-to-end tests can run on this machine. Where they cannot, every one of them is skipped, with the reason in one line;
// in CI they fail with it.

import { requirementOf } from '../support/continuous-integration.ts';
import { findPrograms, type Programs } from '../support/node/programs.ts';

const found = findPrograms();

/** For the options of node:test. */
export const requirement = requirementOf(found);

/** Only to be called from tests that are not skipped. */
export function requirePrograms(): Programs {
  if (typeof found === 'string') throw new Error(found);
  return found;
}
