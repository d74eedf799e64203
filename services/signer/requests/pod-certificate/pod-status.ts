// The final status of a PodCertificateRequest: a chain with its times, or a denial. The API server rejects every later
// change. Pure.

import { X509Certificate } from 'node:crypto';
import { formatTime } from '@countersign/common/csr.ts';
import type {
  PodCertificateRequestStatus,
  PodConditionType,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { beginRefreshAt } from './refresh-time.ts';

/** A condition's reason and message. */
export interface ConditionText {
  readonly reason: string;
  readonly message: string;
}

/**
 * The times are those of the leaf, which the API server compares. `chainPem` begins with a leaf that was issued here.
 */
export function issuedStatus(
  chainPem: string,
  uid: string,
  text: ConditionText,
  now: Date,
): PodCertificateRequestStatus {
  const { validFromDate: notBefore, validToDate: notAfter } = new X509Certificate(chainPem);
  return {
    conditions: [condition('Issued', text, now)],
    certificateChain: chainPem,
    notBefore: formatTime(notBefore),
    beginRefreshAt: formatTime(beginRefreshAt({ notBefore, notAfter }, uid)),
    notAfter: formatTime(notAfter),
  };
}

export function deniedStatus(text: ConditionText, now: Date): PodCertificateRequestStatus {
  return { conditions: [condition('Denied', text, now)] };
}

function condition(type: PodConditionType, { reason, message }: ConditionText, now: Date) {
  return { type, status: 'True', reason, message, lastTransitionTime: formatTime(now) };
}
