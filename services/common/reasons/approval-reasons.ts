// The reasons of approval by policy: of the approver's conditions and events, of the webhook's refusals, and of the
// signer where it demands a policy. cert-manager has none of them. Decides nothing.

import { normal, warning } from './reason-entry.ts';

/** Of the approver, and of the webhook with --approval-policies. */
export const approvalReasons = {
  ApprovedByPolicy: normal('decided', (policy: string) => `ApprovalPolicy ${policy} allows this request`, {
    meaning: 'The approver approved the CSR. The message names the ApprovalPolicy.',
    action: 'None.',
    shownIn: ['Approved condition', 'event'],
  }),
  DeniedByPolicy: warning('decided', (refusal: string) => `${refusal}. Create a new request that it allows`, {
    meaning: 'An ApprovalPolicy with `onMismatch: Deny` selects the CSR and does not allow it.',
    action: 'Create a new CSR that the policy allows, or change the policy.',
    shownIn: ['Denied condition', 'event', 'refusal', 'countersign_webhook_admissions_total'],
  }),
  NoApprovalPolicy: {
    ...warning('wait', (requester: string, signer: string) => `${noPolicy(requester, signer)}: ${ADD_OR_APPROVE}`, {
      meaning: 'No ApprovalPolicy has both the signer name and the requester.',
      action: 'Add the requester to `subjects` of a policy, add a policy, or approve the CSR by hand.',
    }),
    problem: noPolicy,
  },
  PolicyMismatch: warning('wait', (refusal: string) => refusal, {
    meaning: 'ApprovalPolicies select the CSR, but none allows it. The message has the nearest one and what it wants.',
    action: 'Create a new CSR that the policy allows, change the policy, or approve the CSR by hand.',
  }),
  PolicyInvalid: warning(
    'wait',
    (policies: string) =>
      `ApprovalPolicy ${policies} has onMismatch: Deny and is invalid, so it holds back this request: fix it as its Ready condition says`,
    {
      meaning: 'A policy that might deny the CSR is invalid, so the approver decides nothing.',
      action: 'Fix the policy as its Ready condition says.',
      shownIn: ['event', 'countersign_approvals_waiting'],
    },
  ),
  ApprovalDryRun: normal('wait', (outcome: string) => outcome, {
    meaning: 'What an ApprovalPolicy with `mode: DryRun` would have done.',
    action: 'None. Set `mode: Enforce` when the policy does what you want.',
    shownIn: ['event'],
  }),
};

const ADD_OR_APPROVE = 'add one, or approve the request by hand';

function noPolicy(requester: string, signerName: string): string {
  return `No ApprovalPolicy selects requests of ${requester} for signer ${signerName}`;
}

/** Of the signer, with --require-approval-policy. */
export const requiredApprovalReasons = {
  ApprovalPolicyRequired: warning(
    'wait',
    (problem: string) => `Approved, but not signed without an ApprovalPolicy that allows it: ${problem}`,
    {
      meaning:
        'With `policy.requireApprovalPolicy`, the signer signs only what an ApprovalPolicy allows at that time; an approval by hand is not enough.',
      action: 'Add or change a policy, or delete the CSR. The CSR is signed once a policy allows it.',
    },
  ),
};
