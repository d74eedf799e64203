// The row of the dashboard about certificates for pods: whether pods wait for one, and why.

import { perSecond, quantiles, type Row, SIGNER } from './panel.ts';

export const pods: Row = {
  title: 'Do pods get their certificates?',
  stats: [
    {
      title: 'Waiting requests of pods',
      about: 'PodCertificateRequests without a certificate yet. The panel below shows the reasons.',
      unit: 'short',
      isBad: { from: 1 },
      queries: [{ expr: `sum(countersign_pod_requests_waiting{${SIGNER}})`, legend: '' }],
    },
    {
      title: 'Longest wait of a pod',
      about:
        'While a pod waits for its first certificate, it does not start. Its events have the reason: kubectl describe pod.',
      unit: 's',
      isBad: { from: 300 },
      queries: [{ expr: `max(countersign_pod_request_oldest_waiting_seconds{${SIGNER}})`, legend: '' }],
    },
  ],
  panels: [
    {
      title: 'Waiting requests of pods, by reason',
      about: 'docs/pods.md describes the fix for each reason. The certificate is issued as soon as the cause is fixed.',
      unit: 'short',
      queries: [{ expr: `sum by (reason) (countersign_pod_requests_waiting{${SIGNER}}) > 0`, legend: '{{reason}}' }],
    },
    {
      title: 'From the request of a pod to its certificate',
      about:
        'Latency of issued certificates, including the time spent waiting for a permission, an issuer or a Secret.',
      unit: 's',
      queries: quantiles('countersign_pod_request_to_certificate_seconds', SIGNER),
    },
    {
      title: 'Requests of pods processed to completion',
      about:
        'Issued, or denied because of what the pod template requests: such a pod never starts and must be replaced.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('countersign_pod_certificates_total', SIGNER, 'issuer_type, result, reason'),
          legend: '{{result}} {{reason}} ({{issuer_type}})',
        },
      ],
    },
  ],
};
