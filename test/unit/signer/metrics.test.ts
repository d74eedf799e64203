// The signer's metrics as Prometheus reads them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csrReasons } from '@countersign/common/reasons/reasons.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import type { Outcome } from '@countersign/signer/effect.ts';
import { SignerMetrics } from '@countersign/signer/metrics.ts';

const ISSUED: Outcome = { result: 'issued', reason: 'CertificateIssued', issuerType: 'ca' };
const WAITING: Outcome = { result: 'waiting', reason: 'SecretMissing', issuerType: 'ca' };

function setup() {
  const registry = createRegistry();
  const metrics = new SignerMetrics(registry);
  const lines = async (name: string) => {
    const text = await registry.metrics();
    return text.split('\n').filter(line => line.startsWith(name) && !line.endsWith(' 0'));
  };
  const report = (name: string, outcome: Outcome, openMs = 8) =>
    metrics.requests.csr.reportOutcome(name, outcome, openMs);
  return { registry, metrics, lines, report };
}

test('finished requests are counted by type, result and reason; waiting and ignored ones are not', async () => {
  const { lines, report } = setup();
  report('a', ISSUED);
  report('b', ISSUED);
  report('c', { result: 'failed', reason: 'DeniedReference', issuerType: 'ca' });
  report('d', { result: 'repaired', reason: undefined, issuerType: 'selfSigned' });
  report('e', WAITING);
  report('f', { result: 'ignored', reason: undefined, issuerType: '' });
  assert.deepEqual(await lines('countersign_certificates_total'), [
    'countersign_certificates_total{issuer_type="ca",result="issued",reason="CertificateIssued"} 2',
    'countersign_certificates_total{issuer_type="ca",result="failed",reason="DeniedReference"} 1',
    'countersign_certificates_total{issuer_type="selfSigned",result="repaired",reason=""} 1',
  ]);
});

test('the time from approval to certificate is observed for issued requests only', async () => {
  const { lines, report } = setup();
  report('a', ISSUED);
  report('b', { result: 'failed', reason: 'DeniedReference', issuerType: 'ca' });
  report('c', WAITING);
  assert.deepEqual(await lines('countersign_approval_to_certificate_seconds_count'), [
    'countersign_approval_to_certificate_seconds_count{issuer_type="ca"} 1',
  ]);
});

test('a request that failed to reconcile counts as waiting for a retry unless it was given up', async () => {
  const { metrics, lines, report } = setup();
  const waiting = () => lines('countersign_requests_waiting');
  for (const name of ['a', 'b', 'c']) report(name, { ...WAITING, reason: 'WaitingApproval' });
  for (const name of ['a', 'b', 'c']) metrics.requests.csr.retrying(name, 'ca', true);
  report('b', ISSUED);
  metrics.requests.csr.retrying('c', 'ca', false);
  assert.deepEqual(await waiting(), ['countersign_requests_waiting{reason="Retry",issuer_type="ca"} 1']);
});

test('the time from approval to certificate is in seconds', async () => {
  const { report, lines } = setup();
  report('a', ISSUED, 250);
  assert.deepEqual(await lines('countersign_approval_to_certificate_seconds_sum'), [
    'countersign_approval_to_certificate_seconds_sum{issuer_type="ca"} 0.25',
  ]);
});

test('a request counts as waiting for its latest reason until it stops waiting or is deleted', async () => {
  const { metrics, lines, report } = setup();
  const waiting = () => lines('countersign_requests_waiting');
  report('a', { ...WAITING, reason: 'WaitingApproval' });
  report('a', WAITING);
  report('b', WAITING);
  assert.deepEqual(await waiting(), ['countersign_requests_waiting{reason="SecretMissing",issuer_type="ca"} 2']);
  report('a', ISSUED);
  assert.deepEqual(await waiting(), ['countersign_requests_waiting{reason="SecretMissing",issuer_type="ca"} 1']);
  metrics.requests.csr.forgetWaiting('b');
  assert.deepEqual(await waiting(), []);
});

test('every waiting reason is present at 0 from the start', async () => {
  const { registry } = setup();
  const text = await registry.metrics();
  const waits = Object.entries(csrReasons).filter(([, { outcome }]) => outcome === 'wait');
  for (const [reason] of waits) assert.ok(text.includes(`countersign_requests_waiting{reason="${reason}"} 0`), reason);
  // A reason for issuers, not for CSRs.
  assert.ok(!text.includes('ErrInvalidKeyPair'));
});

test('a replica that loses the Lease reports that it is not the leader and has nothing waiting', async () => {
  const { metrics, lines, report } = setup();
  metrics.leading(true);
  report('a', WAITING);
  assert.deepEqual(await lines('leader_election_master_status'), ['leader_election_master_status 1']);
  metrics.leading(false);
  assert.deepEqual(await lines('leader_election_master_status'), []);
  assert.deepEqual(await lines('countersign_requests_waiting'), []);
});

test('failed reconciles are counted by error code, never by message', async () => {
  const { metrics, lines } = setup();
  metrics.failed('csr', new RetryableError('a', { code: 'forbidden' }));
  metrics.failed('csr', new TerminalError('b', { code: 'invalid' }));
  metrics.failed('issuer', new Error('c'));
  assert.deepEqual(await lines('countersign_work_errors_total'), [
    'countersign_work_errors_total{queue="csr",code="forbidden"} 1',
    'countersign_work_errors_total{queue="csr",code="invalid"} 1',
    'countersign_work_errors_total{queue="issuer",code="unknown"} 1',
  ]);
});

test('queue metrics have the names of client-go and are separate for each queue', async () => {
  const { metrics, lines } = setup();
  const queue = metrics.queue('csr');
  queue.added();
  queue.depth(3);
  queue.retried();
  queue.started(0.5);
  queue.finished(2);
  metrics.queue('issuer').added();
  assert.deepEqual(await lines('workqueue_adds_total'), [
    'workqueue_adds_total{name="csr"} 1',
    'workqueue_adds_total{name="issuer"} 1',
  ]);
  assert.deepEqual(await lines('workqueue_depth'), ['workqueue_depth{name="csr"} 3']);
  assert.deepEqual(await lines('workqueue_retries_total'), ['workqueue_retries_total{name="csr"} 1']);
  assert.deepEqual(await lines('workqueue_queue_duration_seconds_sum'), [
    'workqueue_queue_duration_seconds_sum{name="csr"} 0.5',
  ]);
  assert.deepEqual(await lines('workqueue_work_duration_seconds_sum'), [
    'workqueue_work_duration_seconds_sum{name="csr"} 2',
  ]);
});

test('the earliest CA expiry is reported by kind until the issuer is deleted or leadership is lost', async () => {
  const { metrics, lines } = setup();
  const issuer = (name: string) => ({ kind: 'Issuer', namespace: 'n', name }) as const;
  const expiries = () => lines('countersign_ca_not_after_timestamp_seconds');
  assert.deepEqual(await expiries(), []);
  assert.equal(metrics.recordCaExpiry(issuer('a'), new Date(2_000_000)), true);
  assert.equal(metrics.recordCaExpiry(issuer('a'), new Date(2_000_000)), false);
  metrics.recordCaExpiry(issuer('b'), new Date(1_000_000));
  metrics.recordCaExpiry({ kind: 'ClusterIssuer', namespace: '', name: 'a' }, new Date(3_000_000));
  assert.deepEqual(await expiries(), [
    'countersign_ca_not_after_timestamp_seconds{kind="Issuer"} 1000',
    'countersign_ca_not_after_timestamp_seconds{kind="ClusterIssuer"} 3000',
  ]);
  metrics.recordCaExpiry(issuer('b'), undefined);
  assert.match((await expiries())[0] ?? '', / 2000$/);
  metrics.leading(false);
  assert.deepEqual(await expiries(), []);
});

test('the age of the oldest of very many waiting requests is measured', async () => {
  const { metrics, lines } = setup();
  for (let index = 0; index < 200_000; index++) metrics.requests.pod.reportOutcome(`r${index}`, WAITING, index);
  const [line = ''] = await lines('countersign_pod_request_oldest_waiting_seconds');
  assert.ok(Number(line.split(' ')[1]) >= 199, line);
});

test('the age of the oldest waiting CSR is reported by reason and issuer type, and starts at its approval', async () => {
  const { metrics, lines, report } = setup();
  const seconds = async () => {
    const found = await lines('countersign_request_oldest_waiting_seconds');
    return found.map(line => line.replace(/\d+(\.\d+)?$/, value => String(Math.floor(Number(value)))));
  };
  const name = 'countersign_request_oldest_waiting_seconds';
  report('unapproved', { result: 'waiting', reason: 'WaitingApproval', issuerType: '' }, 999_000);
  assert.deepEqual(await seconds(), []);
  report('a', { ...WAITING, reason: 'OrderPending', issuerType: 'acme' }, 60_000);
  report('b', { ...WAITING, reason: 'OrderPending', issuerType: 'acme' }, 240_000);
  report('c', { ...WAITING, reason: 'IssuerNotFound', issuerType: '' }, 7_000);
  assert.deepEqual(await seconds(), [
    `${name}{reason="OrderPending",issuer_type="acme"} 240`,
    `${name}{reason="IssuerNotFound"} 7`,
  ]);
  // A retry does not begin again.
  metrics.requests.csr.retrying('b', 'acme', true);
  report('a', ISSUED);
  report('c', ISSUED);
  assert.deepEqual(await seconds(), [`${name}{reason="Retry",issuer_type="acme"} 240`]);
});
