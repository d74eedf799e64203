// What is written to the status of a PodCertificateRequest when it ends: a chain with its times, or a denial. After that, the API
// server lets nobody change it. Pure.

import { X509Certificate } from 'node:crypto';
import { formatTime } from '@countersign/common/csr.ts';
import type { PodCertificateRequestStatus, PodConditionType } from '@countersign/common/pod-certificate-request.ts';
import { beginRefreshAt } from './refresh-time.ts';

/** A condition's reason and message. */
export interface Told {
  readonly reason: string;
  readonly message: string;
}

/** With the times that the leaf has: the API server compares them. `chainPem` begins with the leaf, which was issued here. */
export function issuedStatus(chainPem: string, uid: string, told: Told, now: Date): PodCertificateRequestStatus {
  const { validFromDate: notBefore, validToDate: notAfter } = new X509Certificate(chainPem);
  return {
    conditions: [condition('Issued', told, now)],
    certificateChain: chainPem,
    notBefore: formatTime(notBefore),
    beginRefreshAt: formatTime(beginRefreshAt({ notBefore, notAfter }, uid)),
    notAfter: formatTime(notAfter),
  };
}

export function deniedStatus(told: Told, now: Date): PodCertificateRequestStatus {
  return { conditions: [condition('Denied', told, now)] };
}

function condition(type: PodConditionType, { reason, message }: Told, now: Date) {
  return { type, status: 'True', reason, message, lastTransitionTime: formatTime(now) };
}
