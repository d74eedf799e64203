// The two decisions of an approver, and when a CSR is open for them. Pure.

import { formatTime } from '@countersign/common/csr.ts';
import { CliError } from '../cli-error.ts';
import type { Csr } from '../cluster/csr.ts';
import { EXIT } from '../exit-code.ts';
import { conditionOf, conditionText, stateOf } from '../explain/csr-state.ts';
import { safeText } from '../terminal/safe-text.ts';

export interface Verdict {
  readonly type: 'Approved' | 'Denied';
  readonly verb: 'approve' | 'deny';
  readonly done: 'approved' | 'denied';
  readonly reason: string;
}

export const APPROVAL: Verdict = {
  type: 'Approved',
  verb: 'approve',
  done: 'approved',
  reason: 'KubectlCountersignApprove',
};
export const DENIAL: Verdict = { type: 'Denied', verb: 'deny', done: 'denied', reason: 'KubectlCountersignDeny' };

/** Whether the CSR has this decision already. Throws if it has the other one. */
export function isDecided(csr: Csr, { type, verb }: Verdict): boolean {
  if (conditionOf(csr, type) !== undefined) return true;
  const other = conditionOf(csr, type === 'Approved' ? 'Denied' : 'Approved') ?? conditionOf(csr, 'Failed');
  if (other === undefined) return false;
  const name = safeText(csr.metadata.name);
  throw new CliError(
    `cannot ${verb} ${name}: it is ${stateOf(csr)} (${safeText(conditionText(other))})`,
    'A decision is final. Delete the CSR, and create a new one.',
    { code: EXIT.refused },
  );
}

/** The CSR with the decision, as `kubectl certificate` writes it. Its resourceVersion is the one that was shown. */
export function withVerdict(csr: Csr, { type, reason }: Verdict, message: string, now: Date): Csr {
  const time = formatTime(now);
  const condition = { type, status: 'True', reason, message, lastUpdateTime: time, lastTransitionTime: time };
  return { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] } };
}
