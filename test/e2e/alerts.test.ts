// The chart's alerts, evaluated by Prometheus: each fires for its own fault and no other, and none fires while
// everything is healthy or for a momentary fault.

import { type AlertCase, describeAlerts, type Series } from '../support/alert-rules.ts';

const AT = 'namespace="countersign-system",job=';
const LEADER_A = `leader_election_master_status{${AT}"signer",instance="a"}`;
const NO_ISSUER = `countersign_requests_waiting{${AT}"signer",reason="IssuerNotFound"}`;
const WAITING_VAULT = `countersign_requests_waiting{${AT}"signer",reason="VaultUnavailable",issuer_type="vault"}`;
const WAITING_POD_VAULT = `countersign_pod_requests_waiting{${AT}"signer",reason="ErrorVaultInit",issuer_type="vault"}`;
const WAITING_ORDER = `countersign_requests_waiting{${AT}"signer",reason="OrderPending",issuer_type="acme"}`;
const OLDEST_ORDER = `countersign_request_oldest_waiting_seconds{${AT}"signer",reason="OrderPending",issuer_type="acme"}`;
const ISSUED = `countersign_approval_to_certificate_seconds_bucket{${AT}"signer",issuer_type="ca",le=`;
const ORDERED = ISSUED.replace('"ca"', '"acme"');
const DEPTH = `workqueue_depth{${AT}"signer",instance="a",name="csr"}`;
const FORBIDDEN = `countersign_work_errors_total{${AT}"signer",queue="csr",code="forbidden"}`;
const INVALID = FORBIDDEN.replace('forbidden', 'invalid');
const POD_FORBIDDEN = FORBIDDEN.replace('csr', 'pod');
const POD_INVALID = INVALID.replace('csr', 'pod');
const POD_DEPTH = DEPTH.replace('csr', 'pod');
const OLDEST_POD = `countersign_pod_request_oldest_waiting_seconds{${AT}"signer",instance="a"}`;
const REQUESTS = `rest_client_requests_total{${AT}"signer",instance="a",method="GET",host="h",code=`;
const OTHER_SIGNER = `countersign_foreign_completions_total{${AT}"signer",issuer_type="ca"}`;
/** From another program whose Prometheus job has the same name. */
const FOREIGN = `rest_client_requests_total{namespace="other",job="webhook",instance="z",method="GET",host="h",code="500"}`;
const ERRORS = `countersign_webhook_admissions_total{${AT}"webhook",answer="error",reason="InternalError"}`;
const DISTRUSTED = `countersign_webhook_tls_handshake_failures_total{${AT}"webhook",cause="distrusted"}`;
const EXPIRY = `countersign_webhook_serving_certificate_not_after_timestamp_seconds{${AT}"webhook",instance="c"}`;
const OTHER_EXPIRY = EXPIRY.replace('"c"', '"d"');
const RELOADS = `countersign_webhook_serving_certificate_reloads_total{${AT}"webhook",instance="c",result="unreadable"}`;
const CA = `countersign_ca_not_after_timestamp_seconds{${AT}"signer",kind="Issuer"}`;
const CLOCK = `countersign_clock_offset_seconds{${AT}"signer",instance="a"}`;

/** A healthy hour; time starts at 0. */
const HEALTHY: Series = {
  [LEADER_A]: '1x60',
  [`leader_election_master_status{${AT}"signer",instance="b"}`]: '0x60',
  [NO_ISSUER]: '0x60',
  [`countersign_requests_waiting{${AT}"signer",reason="WaitingApproval"}`]: '7x60',
  // Vault has a fault now and then, and there is always an Order on its way; both are normal.
  [WAITING_VAULT]: '0x20 2x5 0x40',
  [WAITING_POD_VAULT]: '0x60',
  [WAITING_ORDER]: '3x60',
  [OLDEST_ORDER]: '90x60',
  [OLDEST_ORDER.replace('OrderPending', 'IssuerNotFound')]: '0x60',
  [`${ORDERED}"10"}`]: '0x60',
  [`${ORDERED}"60"}`]: '0+90x60',
  [`${ORDERED}"+Inf"}`]: '0+90x60',
  [`${ISSUED}"0.1"}`]: '0+10x60',
  [`${ISSUED}"10"}`]: '0+10x60',
  [`${ISSUED}"+Inf"}`]: '0+10x60',
  [DEPTH]: '0x60',
  [FORBIDDEN]: '0x60',
  [INVALID]: '0x60',
  [POD_DEPTH]: '0x60',
  [POD_FORBIDDEN]: '0x60',
  [POD_INVALID]: '0x60',
  [OLDEST_POD]: '0x60',
  [OLDEST_POD.replace('"a"', '"b"')]: '0x60',
  [`${REQUESTS}"200"}`]: '0+100x60',
  [`${REQUESTS}"409"}`]: '0+50x60',
  [`${REQUESTS}"500"}`]: '0+1x60',
  [OTHER_SIGNER]: '0x60',
  [ERRORS]: '0x60',
  [`countersign_webhook_admissions_total{${AT}"webhook",answer="denied",reason="DeniedReference"}`]: '0+5x60',
  [DISTRUSTED]: '0x60',
  [`countersign_webhook_tls_handshake_failures_total{${AT}"webhook",cause="closed"}`]: '0+6x60',
  [EXPIRY]: `${7 * 86_400}x60`,
  [OTHER_EXPIRY]: `${7 * 86_400}x60`,
  [RELOADS]: '0x60',
  [CLOCK]: '-0.4x60',
  [CLOCK.replace('"a"', '"b"')]: '0.2x60',
  [CA]: `${90 * 86_400}x60`,
};
/** The queue is empty at least once in every ten minutes. */
const BURSTS = Array.from({ length: 60 }, (_, minute) => (minute % 9 === 0 ? 0 : 80)).join(' ');

const CASES: readonly AlertCase[] = [
  { name: 'while everything is healthy', minute: 50, fires: [] },
  { name: 'during a change of leader', series: { [LEADER_A]: '1x10 0 1x49' }, minute: 11, fires: [] },
  { name: 'when no replica is the leader', series: { [LEADER_A]: '0x60' }, minute: 5, fires: ['CountersignNoLeader'] },
  {
    name: 'when no signer is scraped',
    series: { [LEADER_A]: '', [`leader_election_master_status{${AT}"signer",instance="b"}`]: '' },
    minute: 5,
    fires: ['CountersignNoLeader'],
  },
  {
    name: 'when no webhook has a certificate',
    series: { [EXPIRY]: '', [OTHER_EXPIRY]: '' },
    minute: 5,
    fires: ['CountersignWebhookDown'],
  },
  { name: 'while one of two webhooks is down', series: { [OTHER_EXPIRY]: '' }, minute: 50, fires: [] },
  {
    name: 'when the certificates of all webhooks have expired',
    series: { [EXPIRY]: '60x60', [OTHER_EXPIRY]: '60x60' },
    minute: 8,
    fires: ['CountersignWebhookDown'],
  },
  {
    name: 'when the webhook cannot reload its certificate',
    series: { [RELOADS]: '0x5 1+6x55' },
    minute: 40,
    fires: ['CountersignWebhookCertificateStuck'],
  },
  {
    name: 'while an issuer is missing for some minutes',
    series: { [NO_ISSUER]: '0x5 1x9 0x60' },
    minute: 14,
    fires: [],
  },
  {
    name: 'when approved requests wait',
    series: { [NO_ISSUER]: '2x60' },
    minute: 30,
    fires: ['CountersignRequestsWait'],
  },
  {
    name: 'when certificates are late',
    series: { [`${ISSUED}"0.1"}`]: '0x60' },
    minute: 30,
    fires: ['CountersignCertificatesLate'],
  },
  {
    name: 'when requests wait for Vault',
    series: { [WAITING_VAULT]: '0x5 2x60' },
    minute: 17,
    fires: ['CountersignVaultFails'],
  },
  {
    name: 'while requests have waited for Vault for nine minutes',
    series: { [WAITING_VAULT]: '0x5 2x60' },
    minute: 14,
    fires: [],
  },
  {
    name: 'when requests of pods wait for Vault',
    series: { [WAITING_POD_VAULT]: '1x60' },
    minute: 17,
    fires: ['CountersignVaultFails'],
  },
  {
    name: 'when an Order has been pending for more than fifteen minutes',
    series: { [OLDEST_ORDER]: '0x5 0+60x54' },
    minute: 25,
    fires: ['CountersignDelegatedRequestsWait'],
  },
  {
    name: 'when nobody approves CertificateRequests',
    series: { [OLDEST_ORDER.replace('OrderPending', 'CertificateRequestNotApproved')]: '0+60x60' },
    minute: 25,
    fires: ['CountersignDelegatedRequestsWait'],
  },
  {
    name: 'when no controller answers CertificateRequests of external issuers',
    series: {
      [OLDEST_ORDER.replace('OrderPending', 'CertificateRequestUnanswered').replace('acme', 'external')]: '0+60x60',
    },
    minute: 25,
    fires: ['CountersignDelegatedRequestsWait'],
  },
  { name: 'when the queue fills and empties', series: { [DEPTH]: BURSTS }, minute: 40, fires: [] },
  {
    name: 'when the queue is never empty',
    series: { [DEPTH]: '9x60' },
    minute: 30,
    fires: ['CountersignQueueNeverEmpty'],
  },
  {
    name: 'when the queue of pods is never empty',
    series: { [POD_DEPTH]: '9x60' },
    minute: 30,
    fires: ['CountersignQueueNeverEmpty'],
  },
  { name: 'while pods wait for four minutes', series: { [OLDEST_POD]: '0x5 0+60x4 0x50' }, minute: 9, fires: [] },
  {
    name: 'when a pod has waited for more than five minutes',
    series: { [OLDEST_POD]: '0x5 0+60x54' },
    minute: 12,
    fires: ['CountersignPodsWait'],
  },
  {
    name: 'after the first invalid write for a pod',
    series: { [POD_INVALID]: '0x20 1x40' },
    minute: 25,
    fires: ['CountersignApiServerRefuses'],
  },
  {
    name: 'when writes for pods stay forbidden',
    series: { [POD_FORBIDDEN]: '0x10 1x4 2x4 3x4 4x4 5x4 6x30' },
    minute: 30,
    fires: ['CountersignApiServerRefuses'],
  },
  {
    name: 'after the first invalid write',
    series: { [INVALID]: '0x20 1x40' },
    minute: 25,
    fires: ['CountersignApiServerRefuses'],
  },
  { name: 'long after an invalid write', series: { [INVALID]: '0x20 1x40' }, minute: 50, fires: [] },
  {
    name: 'while requests are forbidden for a short time',
    series: { [FORBIDDEN]: '0x20 3 9x40' },
    minute: 25,
    fires: [],
  },
  {
    name: 'when requests stay forbidden',
    series: { [FORBIDDEN]: '0x10 1x4 2x4 3x4 4x4 5x4 6x30' },
    minute: 30,
    fires: ['CountersignApiServerRefuses'],
  },
  {
    name: 'after the first certificate of another signer',
    series: { [OTHER_SIGNER]: '0x20 1x40' },
    minute: 25,
    fires: ['CountersignAnotherSigner'],
  },
  {
    name: 'long after a certificate of another signer',
    series: { [OTHER_SIGNER]: '0x20 1x40' },
    minute: 50,
    fires: [],
  },
  {
    name: 'when the API server fails',
    series: { [`${REQUESTS}"500"}`]: '0+30x60' },
    minute: 30,
    fires: ['CountersignApiServerFails'],
  },
  {
    name: 'while requests of another program fail, and that has no leader',
    series: { [FOREIGN]: '0+30x60', 'leader_election_master_status{job="signer",instance="z"}': '0x60' },
    minute: 30,
    fires: [],
  },
  {
    name: 'when no signer is the leader, but another program has one',
    series: { [LEADER_A]: '0x60', 'leader_election_master_status{job="signer",instance="z"}': '1x60' },
    minute: 5,
    fires: ['CountersignNoLeader'],
  },
  {
    name: 'when the API server does not answer',
    series: { [`${REQUESTS}"200"}`]: '0x60', [`${REQUESTS}"409"}`]: '0x60', [`${REQUESTS}"<error>"}`]: '0+9x60' },
    minute: 30,
    fires: ['CountersignApiServerFails'],
  },
  {
    name: 'when the webhook cannot check requests',
    series: { [ERRORS]: '0+1x60' },
    minute: 20,
    fires: ['CountersignWebhookErrors'],
  },
  {
    name: 'after the first caller that does not trust the webhook',
    series: { [DISTRUSTED]: '0x20 1x40' },
    minute: 25,
    fires: ['CountersignWebhookDistrusted'],
  },
  {
    name: 'when the serving certificate expires soon',
    series: { [EXPIRY]: '86400x60' },
    minute: 30,
    fires: ['CountersignWebhookCertificateEnds'],
  },
  {
    name: 'when a CA expires soon',
    series: { [CA]: `${13 * 86_400}x60` },
    minute: 30,
    fires: ['CountersignCaEnds'],
  },
  { name: 'when the clock is behind', series: { [CLOCK]: '-45x60' }, minute: 30, fires: ['CountersignClockOff'] },
];

describeAlerts({}, HEALTHY, CASES);
