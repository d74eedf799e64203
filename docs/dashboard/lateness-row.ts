// The first row of the dashboard: whether certificates are late, and why.

import { perSecond, quantile, quantiles, type Row, SERVICES, SIGNER, WEBHOOK } from './panel.ts';

const ISSUANCE = 'countersign_approval_to_certificate_seconds';
const NOT_FOR_APPROVAL = `${SIGNER},reason!="WaitingApproval"`;

export const lateness: Row = {
  title: 'Are certificates late, and why?',
  stats: [
    {
      title: 'Leaders',
      about:
        "Replicas holding leadership. 0 means nothing is signed: check the signer's pods, their /readyz, and the Lease.",
      unit: 'short',
      isBad: { below: 1 },
      queries: [{ expr: `sum(leader_election_master_status{${SIGNER}})`, legend: '' }],
    },
    {
      title: 'Approved, but waiting',
      about: 'Approved CSRs without a certificate yet. The panel below shows the reasons.',
      unit: 'short',
      isBad: { from: 1 },
      queries: [{ expr: `sum(countersign_requests_waiting{${NOT_FOR_APPROVAL}})`, legend: '' }],
    },
    {
      title: 'Waiting for approval',
      about: 'CSRs that are neither approved nor denied. Countersign cannot change that: ask the approvers.',
      unit: 'short',
      queries: [{ expr: `sum(countersign_requests_waiting{${SIGNER},reason="WaitingApproval"})`, legend: '' }],
    },
    {
      title: 'First CA expires in',
      about:
        'Of the issuers whose Ready condition the signer sets. Its log reports when each CA expires ("issuer CA expiry changed").',
      unit: 's',
      isBad: { below: 14 * 86_400 },
      queries: [{ expr: `min(countersign_ca_not_after_timestamp_seconds{${SIGNER}}) - time()`, legend: '' }],
    },
    {
      title: 'Clock offset',
      about:
        "The largest difference between a replica's clock and the API server's. A signer that is ahead issues certificates that are not valid yet.",
      unit: 's',
      isBad: { from: 30 },
      queries: [{ expr: `max(abs(countersign_clock_offset_seconds{${SERVICES}}))`, legend: '' }],
    },
    {
      title: 'Webhook certificate expires in',
      about: 'The first serving certificate to expire. Without a valid one, CSRs for issuers cannot be created.',
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
        'What the CSRs are waiting for. docs/reasons.md describes the fix for each reason; the events of a CSR name what is missing.',
      unit: 'short',
      queries: [
        { expr: `sum by (reason) (countersign_requests_waiting{${NOT_FOR_APPROVAL}}) > 0`, legend: '{{reason}}' },
      ],
    },
    {
      title: 'From approval to certificate',
      about: 'Latency of issued certificates, including the time spent waiting for an issuer or a Secret.',
      unit: 's',
      queries: quantiles(ISSUANCE, SIGNER),
    },
    {
      title: 'Where the time goes (p99)',
      about:
        'In the queue: CSRs arrive faster than they are signed. Processing: mostly waiting for the API server, which the third line shows.',
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'workqueue_queue_duration_seconds', `${SIGNER},name="csr"`), legend: 'in the queue' },
        { expr: quantile(0.99, 'workqueue_work_duration_seconds', `${SIGNER},name="csr"`), legend: 'processing' },
        {
          expr: quantile(0.99, 'rest_client_request_duration_seconds', SIGNER),
          legend: 'one request to the API server',
        },
      ],
    },
    {
      title: 'CSRs processed to completion',
      about: 'Issued, failed (docs/reasons.md describes the reasons), or repaired: the missing annotation was added.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('countersign_certificates_total', SIGNER, 'issuer_type, result, reason'),
          legend: '{{result}} {{reason}} ({{issuer_type}})',
        },
      ],
    },
    {
      title: 'Failed reconciles',
      about:
        'By queue and cause; they are retried. forbidden: the signer lacks an RBAC permission. invalid: the API server rejects a write. Find the object in the log: "reconcile failed".',
      unit: 'ops',
      queries: [
        { expr: perSecond('countersign_work_errors_total', SIGNER, 'queue, code'), legend: '{{queue}}: {{code}}' },
      ],
    },
    {
      title: 'Queue depth',
      about:
        'Objects waiting for a worker, by queue and replica. More workers help only if the latency to the API server is high (docs/scaling.md).',
      unit: 'short',
      queries: [{ expr: `workqueue_depth{${SIGNER}}`, legend: '{{name}} {{instance}}' }],
    },
  ],
};
