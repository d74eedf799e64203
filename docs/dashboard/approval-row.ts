// The row of the dashboard about approval by policy, which is empty where the approver is not installed.

import { APPROVER, perSecond, type Row } from './panel.ts';

export const approval: Row = {
  title: 'Approval by policy',
  stats: [
    {
      title: 'Leaders of the approver',
      about:
        'Replicas holding leadership. 0 means that no CSR is approved by policy. No value: the approver is not installed.',
      unit: 'short',
      isBad: { below: 1 },
      queries: [{ expr: `sum(leader_election_master_status{${APPROVER}})`, legend: '' }],
    },
    {
      title: 'Invalid policies',
      about: 'They allow nothing. kubectl get approvalpolicies shows what is wrong with each.',
      unit: 'short',
      isBad: { from: 1 },
      queries: [{ expr: `max(countersign_approval_policies{${APPROVER},state="invalid"})`, legend: '' }],
    },
  ],
  panels: [
    {
      title: 'Decisions of the approver',
      about: 'CSRs approved or denied by an ApprovalPolicy. The event of each CSR names the policy.',
      unit: 'ops',
      queries: [{ expr: perSecond('countersign_approvals_total', APPROVER, 'decision'), legend: '{{decision}}' }],
    },
    {
      title: 'CSRs that no policy decides on, by reason',
      about:
        'NoApprovalPolicy and PolicyMismatch wait for a person, or for another policy. PolicyInvalid: fix the policy. Retry: errors in the log of the approver.',
      unit: 'short',
      queries: [{ expr: `sum by (reason) (countersign_approvals_waiting{${APPROVER}}) > 0`, legend: '{{reason}}' }],
    },
    {
      title: 'Failed runs of the approver',
      about: 'By queue and code. forbidden: a missing permission. The log of the approver has the call.',
      unit: 'ops',
      queries: [
        {
          expr: `${perSecond('countersign_approver_errors_total', APPROVER, 'queue, code')} > 0`,
          legend: '{{queue}}: {{code}}',
        },
      ],
    },
  ],
};
