// Approves a CertificateRequest that Countersign created, where the operator wants that: its CSR is approved already.
// Bypasses the other approvers of the cluster, which see an approved object.

import { formatTime } from '@countersign/common/csr.ts';
import { asRetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { FIELD_MANAGER } from '../../field-manager.ts';
import { type CertificateRequest, collectionPath } from './certificate-request.ts';

const DECISIONS = new Set(['Approved', 'Denied']);

/** Returns the object as it is now; unchanged if someone has decided already. Throws RetryableError. */
export async function approve(
  client: Pick<KubeClient, 'mergePatch'>,
  found: CertificateRequest,
  now: Date,
): Promise<CertificateRequest> {
  const { metadata, status: { conditions = [] } = {} } = found;
  if (conditions.some(({ type }) => DECISIONS.has(type))) return found;
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
    return await client.mergePatch<CertificateRequest>(path, body);
  } catch (error) {
    throw asRetryableError(error);
  }
}
