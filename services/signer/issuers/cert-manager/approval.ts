// Approves a CertificateRequest that Countersign created, where the operator wants that: its CSR is approved already.
// Bypasses the other approvers of the cluster, which see an approved object.

import { formatTime } from '@countersign/common/csr.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { asRetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { FIELD_MANAGER } from '../../field-manager.ts';
import type { Wait } from '../../verdict.ts';
import { type CertificateRequest, collectionPath, placeOf } from './certificate-request.ts';
import { findDenial } from './creation-failure.ts';

const DECISIONS = new Set(['Approved', 'Denied']);

/** What refuses the approval is changed by people. */
const REFUSED_MS = 60_000;
const MAX_PROBLEM = 1_000;

/**
 * Returns the object as it is now, unchanged if someone has decided already; or why it cannot be approved. Throws
 * RetryableError.
 */
export async function approve(
  client: Pick<KubeClient, 'mergePatch'>,
  found: CertificateRequest,
  now: Date,
): Promise<{ readonly kind: 'found'; readonly object: CertificateRequest } | Wait> {
  const { metadata, status: { conditions = [] } = {} } = found;
  if (conditions.some(({ type }) => DECISIONS.has(type))) return { kind: 'found', object: found };
  const approved = {
    type: 'Approved',
    status: 'True',
    reason: 'countersign.io',
    message: 'The CertificateSigningRequest that owns this CertificateRequest is approved',
    lastTransitionTime: formatTime(now),
  };
  // A merge patch replaces the whole list; the resourceVersion ensures that it is not based on an old one.
  const body = {
    metadata: { resourceVersion: metadata.resourceVersion },
    status: { conditions: [...conditions, approved] },
  };
  const path = `${collectionPath(metadata.namespace ?? '')}/${metadata.name}/status?fieldManager=${FIELD_MANAGER}`;
  try {
    return { kind: 'found', object: await client.mergePatch<CertificateRequest>(path, body) };
  } catch (error) {
    return explainRefusal(found, error);
  }
}

/** cert-manager's webhook refuses the approval of a kind that the API server does not have. */
function explainRefusal(found: CertificateRequest, thrown: unknown): Wait {
  const { problem } = findDenial(thrown instanceof Error ? thrown.message : '') ?? {};
  if (problem === undefined) throw asRetryableError(thrown);
  const message = reasons.CertificateRequestNotApproved.refused(placeOf(found), shorten(problem, MAX_PROBLEM));
  return { kind: 'wait', reason: 'CertificateRequestNotApproved', message, requeueAfterMs: REFUSED_MS };
}
