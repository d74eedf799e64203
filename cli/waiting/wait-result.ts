// What the user learns at the end of the waiting, and the exit code. Pure.

import { CliError } from '../cli-error.ts';
import type { Csr } from '../cluster/csr.ts';
import { EXIT } from '../exit-code.ts';
import { conditionOf, conditionText } from '../explain/csr-state.ts';
import { actionFor } from '../explain/obstacle.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { End } from './wait-for-end.ts';

/** The CSR with its certificate; throws for every other end. */
export function requireIssued(end: End, name: string, timeout: string): Csr {
  switch (end.kind) {
    case 'issued':
      return end.csr;
    case 'refused':
      throw refusedError(end.csr);
    case 'deleted':
      throw new CliError(`${safeText(name)} was deleted`, 'Create a new CSR.');
    case 'timeout': {
      const advice = `It may still be signed. kubectl countersign explain ${safeText(name)} shows what it waits for.`;
      throw new CliError(`${safeText(name)} has no certificate after ${timeout}`, advice, { code: EXIT.timeout });
    }
  }
}

function refusedError(csr: Csr): CliError {
  const denied = conditionOf(csr, 'Denied');
  const condition = denied ?? conditionOf(csr, 'Failed');
  const what = `${safeText(csr.metadata.name)} is ${denied === undefined ? 'Failed' : 'Denied'}`;
  const why = condition === undefined ? '' : `: ${conditionText(condition)}`;
  const action = actionFor(condition?.reason ?? '') ?? 'Correct what the message names, and create a new CSR.';
  return new CliError(what + why, `This is final. ${action}`, { code: EXIT.refused });
}

/** One line while it waits. */
export function progressText(csr: Csr, seconds: number): string {
  const isApproved = conditionOf(csr, 'Approved') !== undefined;
  return `${csr.metadata.name} waits for ${isApproved ? 'the signer' : 'approval'} … ${seconds}s`;
}
