// The row of the dashboard that compares the types of issuers, and shows the servers that sign for them.

import { perSecond, quantile, type Row, SIGNER } from './panel.ts';

export const issuerTypes: Row = {
  title: 'By issuer type',
  panels: [
    {
      title: 'Certificates by issuer type',
      about:
        'For CSRs and for pods. A type that is issued by another controller (ACME, Venafi) takes seconds at least.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('countersign_certificates_total', `${SIGNER},result="issued"`, 'issuer_type'),
          legend: 'CSRs: {{issuer_type}}',
        },
        {
          expr: perSecond('countersign_pod_certificates_total', `${SIGNER},result="issued"`, 'issuer_type'),
          legend: 'pods: {{issuer_type}}',
        },
      ],
    },
    {
      title: 'Refused requests by issuer type',
      about: 'Failed CSRs and denied requests of pods. docs/reasons.md describes the reasons.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('countersign_certificates_total', `${SIGNER},result="failed"`, 'issuer_type, reason'),
          legend: 'CSRs: {{issuer_type}} {{reason}}',
        },
        {
          expr: perSecond('countersign_pod_certificates_total', `${SIGNER},result="denied"`, 'issuer_type, reason'),
          legend: 'pods: {{issuer_type}} {{reason}}',
        },
      ],
    },
    {
      title: 'From approval to certificate (p90), by issuer type',
      about:
        'For ca and selfSigned, the signer and the API server alone decide; for the others, the server that signs.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.9, 'countersign_approval_to_certificate_seconds', SIGNER, 'issuer_type'),
          legend: '{{issuer_type}}',
        },
      ],
    },
    {
      title: 'Oldest approved CSR without a certificate, by issuer type',
      about:
        'Time since its approval. CertificateRequestNotApproved: no approver decides. OrderPending: kubectl describe challenges -A.',
      unit: 's',
      queries: [
        {
          expr: `max by (issuer_type, reason) (countersign_request_oldest_waiting_seconds{${SIGNER}})`,
          legend: '{{issuer_type}} {{reason}}',
        },
      ],
    },
    {
      title: 'Calls to Vault, by result',
      about:
        'refused: by the role, a policy or the credentials. unavailable: sealed or overloaded. unreachable: no answer. An issuer whose calls fail is asked again after 1 to 45 s.',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond('countersign_vault_request_duration_seconds_count', SIGNER, 'purpose, result'),
          legend: '{{purpose}}: {{result}}',
        },
      ],
    },
    {
      title: 'Latency of Vault (p99)',
      about: 'The signer gives up after 10 s for a certificate, and after 5 s for a login or a health check.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'countersign_vault_request_duration_seconds', SIGNER, 'purpose'),
          legend: '{{purpose}}',
        },
      ],
    },
  ],
};
