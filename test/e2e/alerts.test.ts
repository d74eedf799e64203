// The chart's alerts, evaluated by Prometheus: each fires for its own fault and no other, and none fires while
// everything is healthy or for a momentary fault.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { findObject, type KubeObject, parseObjects, RELEASE, renderText } from '../chart/helm.ts';
import { runCommand } from '../support/control-plane/run-command.ts';
import { findModuleTool, MODULE_TOOLS } from '../support/docker/module-tool.ts';

/** One value per minute, in promtool's notation: `1x60` is 1 for an hour, `0+5x60` grows by 5 per minute. */
type Series = Readonly<Record<string, string>>;

const AT = 'namespace="countersign-system",job=';
const LEADER_A = `leader_election_master_status{${AT}"signer",instance="a"}`;
const NO_ISSUER = `countersign_requests_waiting{${AT}"signer",reason="IssuerNotFound"}`;
const ISSUED = `countersign_approval_to_certificate_seconds_bucket{${AT}"signer",le=`;
const DEPTH = `workqueue_depth{${AT}"signer",instance="a",name="csr"}`;
const FORBIDDEN = `countersign_work_errors_total{${AT}"signer",queue="csr",code="forbidden"}`;
const INVALID = FORBIDDEN.replace('forbidden', 'invalid');
const POD_FORBIDDEN = FORBIDDEN.replace('csr', 'pod');
const POD_INVALID = INVALID.replace('csr', 'pod');
const POD_DEPTH = DEPTH.replace('csr', 'pod');
const OLDEST_POD = `countersign_pod_request_oldest_waiting_seconds{${AT}"signer",instance="a"}`;
const REQUESTS = `rest_client_requests_total{${AT}"signer",instance="a",method="GET",host="h",code=`;
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

interface Case {
  readonly name: string;
  /** Overrides of the healthy series; '' removes one. */
  readonly series?: Series;
  readonly minute: number;
  readonly fires: readonly string[];
}

const CASES: readonly Case[] = [
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

describe('the alerts', () => {
  let dir: string;
  let promtool: string;
  before(async () => {
    promtool = await findModuleTool(MODULE_TOOLS.promtool);
    dir = await mkdtemp(join(tmpdir(), 'alerts-'));
    const objects = parseObjects(await renderText({ alerts: { enabled: true } }));
    const { spec } = findObject(objects, 'PrometheusRule', RELEASE) as KubeObject & { spec: object };
    await writeFile(join(dir, 'rules.yaml'), stringify(spec));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  async function run(...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await runCommand(promtool, args, { env: process.env, cwd: dir });
    assert.equal(code, 0, stdout + stderr);
  }

  test('the alerts are valid Prometheus rules', () =>
    run('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'));

  test('every alert has a test case', async () => {
    const rules = await readFile(join(dir, 'rules.yaml'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, alert]) => alert);
    assert.deepEqual(new Set(CASES.flatMap(({ fires }) => fires)), new Set(alerts));
  });

  for (const { name, series, minute, fires } of CASES) {
    test(`${fires.join(', ') || 'no alert'} fires ${name}`, async () => {
      const input = Object.entries({ ...HEALTHY, ...series }).filter(([, values]) => values !== '');
      const firing = {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${minute}m`,
        exp_samples: fires.map(alert => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      };
      const input_series = input.map(([labels, values]) => ({ series: labels, values }));
      const tests = [{ interval: '1m', input_series, promql_expr_test: [firing] }];
      await writeFile(
        join(dir, 'test.yaml'),
        stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }),
      );
      await run('test', 'rules', 'test.yaml');
    });
  }
});
