// Why a certificate is late: what an SRE looks at first.

import { BOTH, perSecond, quantile, quantiles, type Row, SIGNER, WEBHOOK } from './panel.ts';

const ISSUANCE = 'countersign_approval_to_certificate_seconds';
const WAITING_FOR_OTHERS = `${SIGNER},reason!="WaitingApproval"`;

export const lateness: Row = {
  title: 'Is a certificate late, and why?',
  stats: [
    {
      title: 'Replicas that lead',
      about: 'One signs. At 0 nobody does: look at the pods of the signer, at their /readyz, and at the Lease.',
      unit: 'short',
      isBad: { below: 1 },
      queries: [{ expr: `sum(leader_election_master_status{${SIGNER}})`, legend: '' }],
    },
    {
      title: 'Approved, but waiting',
      about: 'CSRs that wait for something other than their approval. The panel below says for what.',
      unit: 'short',
      isBad: { from: 1 },
      queries: [{ expr: `sum(countersign_requests_waiting{${WAITING_FOR_OTHERS}})`, legend: '' }],
    },
    {
      title: 'Waiting for approval',
      about: 'CSRs that nobody has approved or denied. Not a matter of Countersign: ask the approvers.',
      unit: 'short',
      queries: [{ expr: `sum(countersign_requests_waiting{${SIGNER},reason="WaitingApproval"})`, legend: '' }],
    },
    {
      title: 'First CA ends in',
      about:
        'Of the issuers whose Ready condition the signer keeps. Its log says of each when it ends ("issuer CA expiry changed").',
      unit: 's',
      isBad: { below: 14 * 86_400 },
      queries: [{ expr: `min(countersign_ca_not_after_timestamp_seconds{${SIGNER}}) - time()`, legend: '' }],
    },
    {
      title: 'Clock is off by',
      about:
        'The farthest that a replica is from the clock of the API server. A signer that is ahead issues certificates that are not yet valid.',
      unit: 's',
      isBad: { from: 30 },
      queries: [{ expr: `max(abs(countersign_clock_offset_seconds{${BOTH}}))`, legend: '' }],
    },
    {
      title: 'Webhook certificate ends in',
      about: 'The first serving certificate to end. Without one, no CSR for an issuer is let in.',
      unit: 's',
      isBad: { below: 86_400 },
      queries: [
        {
          expr: `min(countersign_webhook_serving_certificate_not_after_timestamp_seconds{${WEBHOOK}}) - time()`,
          legend: '',
        },
      ],
    },
  ],
  panels: [
    {
      title: 'Approved, but waiting, by reason',
      about:
        'What the CSRs wait for. docs/reasons.md says what to do about each reason; the events of the CSR say what is missing, by name.',
      unit: 'short',
      queries: [
        { expr: `sum by (reason) (countersign_requests_waiting{${WAITING_FOR_OTHERS}}) > 0`, legend: '{{reason}}' },
      ],
    },
    {
      title: 'From approval to certificate',
      about:
        'Of the certificates that were issued. What waited for an issuer or a Secret counts for as long as it waited.',
      unit: 's',
      queries: quantiles(ISSUANCE, SIGNER),
    },
    {
      title: 'Where the time goes (p99)',
      about:
        'In the queue: more is asked for than is signed in that time. At work: mostly waiting for the API server, which is the third line.',
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'workqueue_queue_duration_seconds', `${SIGNER},name="csr"`), legend: 'in the queue' },
        { expr: quantile(0.99, 'workqueue_work_duration_seconds', `${SIGNER},name="csr"`), legend: 'at work' },
        {
          expr: quantile(0.99, 'rest_client_request_duration_seconds', SIGNER),
          legend: 'one request to the API server',
        },
      ],
    },
    {
      title: 'CSRs that came to an end',
      about: 'Issued, failed for good and why (docs/reasons.md), or completed with the annotation that was missing.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('countersign_certificates_total', SIGNER, 'issuer_type, result, reason'),
          legend: '{{result}} {{reason}} ({{issuer_type}})',
        },
      ],
    },
    {
      title: 'Runs that failed, and are tried again',
      about:
        'By queue and cause. forbidden: the RBAC of the signer lacks something. invalid: the API server refuses what is written. The log has the key: "reconcile failed".',
      unit: 'ops',
      queries: [
        { expr: perSecond('countersign_work_errors_total', SIGNER, 'queue, code'), legend: '{{queue}}: {{code}}' },
      ],
    },
    {
      title: 'Keys that wait for a worker',
      about: 'By queue and replica. More workers help only where the API server is far away (docs/scaling.md).',
      unit: 'short',
      queries: [{ expr: `workqueue_depth{${SIGNER}}`, legend: '{{name}} {{instance}}' }],
    },
  ],
};
