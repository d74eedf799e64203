// What an open CSR waits for once its shape, permission and issuer are known: the approval, the cause in the last event
// of the signer, or the signer itself. Pure.

import { isApproved } from '@countersign/common/csr.ts';
import { isReason, reasons } from '@countersign/common/reasons/reasons.ts';
import { type Csr, type CsrEvent, timeOf } from '../cluster/csr.ts';
import { conditionOf, conditionTime } from './csr-state.ts';
import type { Facts } from './facts.ts';
import { actionFor, type Obstacle, pluginCommand } from './obstacle.ts';

/** A signer signs within milliseconds; after this time something is wrong with it. */
const SLOW_MS = 30_000;

/** `found` are the obstacles so far. */
export function waitingObstacles(facts: Facts, found: readonly Obstacle[]): readonly Obstacle[] {
  const { csr, source } = facts;
  if (source.kind === 'file') return found;
  if (!isApproved(csr)) {
    // An approval of a CSR that then fails would be wrong advice.
    return found.some(({ isFinal }) => isFinal) ? found : [...found, approvalObstacle(csr.metadata.name)];
  }
  const all = [...found, ...eventObstacles(facts, found)];
  return all.length > 0 ? all : [signerObstacle(facts)];
}

function approvalObstacle(name: string): Obstacle {
  return {
    reason: 'WaitingApproval',
    what: 'the CSR is not approved yet',
    fix: 'An approver checks the content, and approves or denies it.',
    command: pluginCommand('approve', name),
    isFinal: false,
  };
}

/** The last event, if it reports a cause that nothing else has shown, such as a missing Secret. */
function eventObstacles({ csr, events }: Facts, found: readonly Obstacle[]): readonly Obstacle[] {
  const last = events.known ? events.value.findLast(isCause) : undefined;
  const { reason = '', message = '' } = last ?? {};
  if (last === undefined || found.some(obstacle => obstacle.reason === reason)) return [];
  const isOlder = timeOf(last) < approvalTime(csr, 0);
  return isOlder ? [] : [{ reason, what: message, fix: actionFor(reason) ?? '', isFinal: false }];
}

function approvalTime(csr: Csr, otherwise: number): number {
  const approval = conditionOf(csr, 'Approved');
  return (approval && conditionTime(approval)) ?? otherwise;
}

function isCause({ type, reason = '' }: CsrEvent): boolean {
  if (type !== 'Warning' || !isReason(reason) || reason === 'SelfSignedKey') return false;
  return ['wait', 'retry', 'stuck'].includes(reasons[reason].outcome);
}

function signerObstacle({ csr, now }: Facts): Obstacle {
  const waitedMs = now.getTime() - approvalTime(csr, now.getTime());
  const isSlow = waitedMs > SLOW_MS;
  return {
    what: isSlow ? 'the CSR is approved, and the signer has not signed it' : 'the signer has not signed it yet',
    fix: isSlow ? 'Check that the signer runs and has a leader.' : 'Wait for the certificate.',
    command: isSlow ? pluginCommand('status') : pluginCommand('wait', csr.metadata.name),
    isFinal: false,
  };
}
