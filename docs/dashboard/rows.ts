// All rows of the dashboard. What is not about one late certificate stands here: the door, the API server, the processes.

import { lateness } from './lateness-row.ts';
import { BOTH, perSecond, quantile, quantiles, type Row, WEBHOOK } from './panel.ts';

const admission: Row = {
  title: 'Who is let in?',
  panels: [
    {
      title: 'Admissions',
      about:
        'By answer and reason. denied is the rule at work; error is a refusal for a fault of our own, and the log of the webhook has the cause. A handshake that fails as distrusted is a CSR that the API server refuses without having asked.',
      unit: 'reqps',
      queries: [
        {
          expr: `${perSecond('countersign_webhook_admissions_total', WEBHOOK, 'answer, reason')} > 0`,
          legend: '{{answer}} {{reason}}',
        },
        {
          expr: perSecond('countersign_webhook_tls_handshake_failures_total', `${WEBHOOK},cause="distrusted"`, 'cause'),
          legend: 'TLS handshake: {{cause}}',
        },
      ],
    },
    {
      title: 'Time to answer',
      about: 'The API server waits for webhook.timeoutSeconds; the webhook gives up after 4 s.',
      unit: 's',
      queries: quantiles('countersign_webhook_admission_duration_seconds', WEBHOOK),
    },
    {
      title: 'Time for an access review (p99)',
      about: 'Most of the time to answer, where the answer is not remembered. error: the API server did not answer.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'countersign_webhook_access_review_duration_seconds', WEBHOOK, 'result'),
          legend: '{{result}}',
        },
      ],
    },
  ],
};

const apiServer: Row = {
  title: 'What does the API server say?',
  panels: [
    {
      title: 'Requests to the API server, by code',
      about: '429: it is short of capacity, see priority and fairness. 403: RBAC. <error>: it did not answer at all.',
      unit: 'reqps',
      queries: [{ expr: perSecond('rest_client_requests_total', BOTH, 'job, code'), legend: '{{job}}: {{code}}' }],
    },
    {
      title: 'Time of a request (p99)',
      about: 'A watch counts until it begins.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'rest_client_request_duration_seconds', BOTH, 'job, verb'),
          legend: '{{job}}: {{verb}}',
        },
      ],
    },
    {
      title: 'Watches that ended',
      about: 'closed every 5 to 10 minutes is in good order. While a watch is down, changes are seen late.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('reflector_watch_ends_total', BOTH, 'job, name, reason'),
          legend: '{{job}} {{name}}: {{reason}}',
        },
      ],
    },
  ],
};

const processes: Row = {
  title: 'How are the processes?',
  panels: [
    {
      title: 'CPU',
      about: 'A signer at 100 % is at its limit: some 900 certificates a second (docs/scaling.md).',
      unit: 'percentunit',
      queries: [{ expr: `rate(process_cpu_seconds_total{${BOTH}}[$__rate_interval])`, legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Resident memory',
      about: 'Grows with the CSRs in the cluster, slowly.',
      unit: 'bytes',
      queries: [{ expr: `process_resident_memory_bytes{${BOTH}}`, legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Objects in the copies',
      about: 'What each replica knows of the cluster. Replicas that differ for long have a watch that is down.',
      unit: 'short',
      queries: [{ expr: `reflector_items{${BOTH}}`, legend: '{{job}} {{name}} {{instance}}' }],
    },
  ],
};

/** From the top down. */
export const ROWS: readonly Row[] = [lateness, admission, apiServer, processes];
