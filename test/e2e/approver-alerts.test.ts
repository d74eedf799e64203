// The alerts about the approver, evaluated by Prometheus. They are rendered only where the approver is installed; those
// of the other services are in alerts.test.ts.

import { type AlertCase, describeAlerts, type Series } from '../support/alert-rules.ts';

const AT = 'namespace="countersign-system",job=';
const SIGNER_LEADS = `leader_election_master_status{${AT}"signer",instance="a"}`;
const LEADER_A = `leader_election_master_status{${AT}"approver",instance="a"}`;
const LEADER_B = LEADER_A.replace('"a"', '"b"');
const CLOCK = `countersign_clock_offset_seconds{${AT}"approver",instance="a"}`;
const HELD_BACK = `countersign_approvals_waiting{${AT}"approver",instance="a",reason="PolicyInvalid"}`;
const RETRIED = HELD_BACK.replace('PolicyInvalid', 'Retry');
const INVALID = `countersign_approval_policies{${AT}"approver",instance="a",state="invalid"}`;
const FORBIDDEN = `countersign_approver_errors_total{${AT}"approver",instance="a",queue="csr",code="forbidden"}`;

/** A healthy hour; time starts at 0. What waits for people alerts nobody. */
const HEALTHY: Series = {
  [SIGNER_LEADS]: '1x60',
  [`countersign_clock_offset_seconds{${AT}"signer",instance="a"}`]: '0x60',
  [`countersign_webhook_serving_certificate_not_after_timestamp_seconds{${AT}"webhook",instance="c"}`]: `${7 * 86_400}x60`,
  [LEADER_A]: '1x60',
  [LEADER_B]: '0x60',
  [CLOCK]: '0.2x60',
  [CLOCK.replace('"a"', '"b"')]: '0.2x60',
  [HELD_BACK]: '0x60',
  [RETRIED]: '0x60',
  [HELD_BACK.replace('PolicyInvalid', 'PolicyMismatch')]: '9x60',
  [HELD_BACK.replace('PolicyInvalid', 'NoApprovalPolicy')]: '9x60',
  [INVALID]: '0x60',
  [FORBIDDEN]: '0x60',
};

const CASES: readonly AlertCase[] = [
  { name: 'while everything is healthy', minute: 50, fires: [] },
  { name: 'during a change of leader', series: { [LEADER_A]: '1x10 0 1x49' }, minute: 11, fires: [] },
  {
    name: 'when no replica is the leader',
    series: { [LEADER_A]: '0x60' },
    minute: 5,
    fires: ['CountersignApproverNoLeader'],
  },
  {
    name: 'when no approver is scraped',
    series: { [LEADER_A]: '', [LEADER_B]: '' },
    minute: 5,
    fires: ['CountersignApproverNoLeader'],
  },
  {
    name: 'when an invalid policy holds back CSRs',
    series: { [HELD_BACK]: '0x5 3x55' },
    minute: 30,
    fires: ['CountersignApprovalsHeldBack'],
  },
  {
    name: 'when decisions are retried in vain',
    series: { [RETRIED]: '0x5 3x55' },
    minute: 30,
    fires: ['CountersignApprovalsHeldBack'],
  },
  {
    name: 'when a policy is invalid',
    series: { [INVALID]: '0x5 1x55' },
    minute: 20,
    fires: ['CountersignApprovalPolicyInvalid'],
  },
  { name: 'while a policy is being edited', series: { [INVALID]: '0x5 1x5 0x50' }, minute: 12, fires: [] },
  {
    name: 'when the approver lacks a permission',
    series: { [FORBIDDEN]: '0+1x60' },
    minute: 40,
    fires: ['CountersignApproverRefused'],
  },
  { name: 'after one forbidden call', series: { [FORBIDDEN]: '0x5 1x55' }, minute: 18, fires: [] },
];

const values = { approver: { enabled: true, signerNames: ['issuers.cert-manager.io/*'] } };
describeAlerts(values, HEALTHY, CASES, /^Countersign(?!Appro)/);
