// Whether end-to-end tests can run on this machine. Where they cannot, every one of them is skipped, with the reason in one line.

import { findPrograms, type Programs } from '../support/node/programs.ts';

const found = findPrograms();

/** For the options of node:test. */
export const requirement = typeof found === 'string' ? { skip: found } : {};

/** Only to be called from tests that are not skipped. */
export function requirePrograms(): Programs {
  if (typeof found === 'string') throw new Error(found);
  return found;
}
