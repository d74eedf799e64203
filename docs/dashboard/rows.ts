// All rows of the dashboard. Defines those without a file of their own: admission, the API server, the processes.

import { approval } from './approval-row.ts';
import { issuerTypes } from './issuer-types-row.ts';
import { lateness } from './lateness-row.ts';
import { perSecond, quantile, quantiles, type Row, SERVICES, WEBHOOK } from './panel.ts';
import { pods } from './pods-row.ts';

const admission: Row = {
  title: 'Admission',
  panels: [
    {
      title: 'Admissions',
      about:
        'By answer and reason. denied: the request violates a rule. error: the webhook could not check the request; its log has the cause. A TLS handshake that fails as distrusted is usually a CSR that the API server rejects because it cannot call the webhook.',
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
      title: 'Admission latency',
      about: 'The API server times out after webhook.timeoutSeconds, the webhook after 4 s.',
      unit: 's',
      queries: quantiles('countersign_webhook_admission_duration_seconds', WEBHOOK),
    },
    {
      title: 'Access review latency (p99)',
      about: 'Most of the admission latency, unless the result is cached. error: the API server did not answer.',
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
  title: 'API server',
  panels: [
    {
      title: 'Requests to the API server, by code',
      about: '429: throttled by API priority and fairness. 403: denied by RBAC. <error>: no answer.',
      unit: 'reqps',
      queries: [{ expr: perSecond('rest_client_requests_total', SERVICES, 'job, code'), legend: '{{job}}: {{code}}' }],
    },
    {
      title: 'Request latency (p99)',
      about: 'For a watch: until it is established.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'rest_client_request_duration_seconds', SERVICES, 'job, verb'),
          legend: '{{job}}: {{verb}}',
        },
      ],
    },
    {
      title: 'Closed watches',
      about: 'closed every 5 to 10 minutes is normal. While a watch is down, changes are seen late.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('reflector_watch_ends_total', SERVICES, 'job, name, reason'),
          legend: '{{job}} {{name}}: {{reason}}',
        },
      ],
    },
  ],
};

const processes: Row = {
  title: 'Process health',
  panels: [
    {
      title: 'CPU',
      about: 'A signer at 100 % has reached its limit, about 900 certificates per second (docs/scaling.md).',
      unit: 'percentunit',
      queries: [
        { expr: `rate(process_cpu_seconds_total{${SERVICES}}[$__rate_interval])`, legend: '{{job}} {{instance}}' },
      ],
    },
    {
      title: 'Resident memory',
      about: 'Grows slowly with the number of CSRs in the cluster.',
      unit: 'bytes',
      queries: [{ expr: `process_resident_memory_bytes{${SERVICES}}`, legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Objects in the cache',
      about:
        'Number of cached objects of each replica. If replicas differ for long, one of them has a watch that is down.',
      unit: 'short',
      queries: [{ expr: `reflector_items{${SERVICES}}`, legend: '{{job}} {{name}} {{instance}}' }],
    },
  ],
};

/** From top to bottom. */
export const ROWS: readonly Row[] = [lateness, pods, issuerTypes, approval, admission, apiServer, processes];
