// Writes Approved or Denied to a CertificateSigningRequest. The only file of the approver that writes to a request; it
// decides nothing.

import type { Explanation } from '@countersign/common/approval/explain.ts';
import { csrPath, formatTime } from '@countersign/common/csr.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { type ApprovalRecord } from './approval-record.ts';
import { FIELD_MANAGER } from './field-manager.ts';

export interface DecisionWriterDeps {
  readonly client: Pick<KubeClient, 'mergePatch'>;
  readonly isLeading: () => boolean;
  readonly now: () => Date;
}

/**
 * uid and resourceVersion make the write conditional: what is approved is what was evaluated. A request that has
 * changed since, also by a person's decision, is a conflict, and is evaluated again. The API server also checks the
 * verb `approve` on the signer.
 */
export async function writeDecision(
  { client, isLeading, now }: DecisionWriterDeps,
  { metadata, status }: ApprovalRecord,
  type: 'Approved' | 'Denied',
  { reason, message }: Explanation,
): Promise<void> {
  const time = formatTime(now());
  const condition = { type, status: 'True', reason, message, lastUpdateTime: time, lastTransitionTime: time };
  const { name, uid, resourceVersion } = metadata;
  const body = {
    metadata: { uid, resourceVersion },
    status: { conditions: [...(status?.conditions ?? []), condition] },
  };
  await client.mergePatch(`${csrPath(name)}/approval?fieldManager=${FIELD_MANAGER}`, body, isLeading);
}
