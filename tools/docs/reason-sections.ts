// The sections of docs/reasons.md: their texts, which outcome they list, and where users see these reasons.

import type { Outcome, Place } from '@countersign/common/reasons/reason-entry.ts';

export interface Section {
  readonly title: string;
  readonly about: string;
  readonly outcome: Outcome;
  readonly shownIn: readonly Place[];
}

const ADMISSIONS = 'countersign_webhook_admissions_total';

export const CSR_SECTIONS: readonly Section[] = [
  {
    title: 'Waiting',
    about:
      'The CSR stays pending. The signer continues once the cause is fixed; the CSR does not have to be recreated.',
    outcome: 'wait',
    shownIn: ['event', 'countersign_requests_waiting'],
  },
  {
    title: 'Failed',
    about:
      'The webhook denies the request if it can see the cause. Otherwise the signer sets the Failed condition, which is final.',
    outcome: 'fail',
    shownIn: ['refusal', 'Failed condition', 'event', ADMISSIONS, 'countersign_certificates_total'],
  },
  {
    title: 'Retried',
    about:
      'The signer retries with exponential backoff. `countersign_requests_waiting` counts the CSR with the reason `Retry`.',
    outcome: 'retry',
    shownIn: ['event', 'countersign_requests_waiting'],
  },
  {
    title: 'Issued',
    about: 'The CSR is signed.',
    outcome: 'issue',
    shownIn: ['event', 'countersign_certificates_total'],
  },
  { title: 'Denied', about: 'The webhook denies the request.', outcome: 'deny', shownIn: ['refusal', ADMISSIONS] },
  {
    title: 'Never signed',
    about: 'The webhook denies the request. A CSR that bypassed the webhook stays pending and gets one event.',
    outcome: 'stuck',
    shownIn: ['refusal', 'event', ADMISSIONS],
  },
];

export const APPROVAL_SECTIONS: readonly Section[] = [
  {
    title: 'Approval by policy: undecided',
    about:
      'The approver leaves the CSR to a person until a policy allows it. With `webhook.approvalPolicies: deny`, the webhook refuses such a request when it is created.',
    outcome: 'wait',
    shownIn: ['event', 'countersign_approvals_waiting', 'refusal', ADMISSIONS],
  },
  {
    title: 'Approval by policy: decided',
    about: 'The approver wrote the condition, which is final.',
    outcome: 'decided',
    shownIn: ['event'],
  },
];

export const POD_SECTIONS: readonly Section[] = [
  {
    title: 'Pods: waiting',
    about:
      'The PodCertificateRequest stays pending, and the pod does not start. The signer continues once the cause is fixed. A request for a pod also waits with `IssuerNotFound`, `IssuerTypeMissing`, `IssuerNotReady`, `DeniedReference`, `NameConstraintViolation`, `SecretMissing`, `SecretInvalidData` and `SigningError`, none of which is final for it.',
    outcome: 'wait',
    shownIn: ['event', 'event on the pod', 'countersign_pod_requests_waiting'],
  },
  {
    title: 'Pods: denied',
    about:
      'The signer sets the Denied condition, which is final for the pod: it follows from the spec of the pod, so only another pod helps. Requests with `InvalidSignerName` are denied too.',
    outcome: 'deny',
    shownIn: ['Denied condition', 'event', 'event on the pod', 'countersign_pod_certificates_total'],
  },
];

export const ISSUER_SECTIONS: readonly Section[] = [
  {
    title: 'Issuer not ready',
    about: 'CSRs for the issuer wait with the reason `IssuerNotReady`.',
    outcome: 'wait',
    shownIn: ['Ready condition', 'event'],
  },
  { title: 'Issuer ready', about: 'The issuer signs.', outcome: 'ready', shownIn: ['Ready condition', 'event'] },
];
