// The controller when reconciles fail, answers are lost and issuers change: what is counted, logged, recorded
// and retried.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { CsrStatus } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { recordLog } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';
import { CSRS, SECRET, start } from './controller-harness.ts';
import { isStatusPatch } from './signer-harness.ts';

const READY_PATCH = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my-ca/status?fieldManager=countersign';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/cert-manager/leases/cert-manager-controller';

const UNREADY: Issuer = { ...buildIssuer(), status: { conditions: [] } };

const readyOf = ({ body }: RecordedCall) => (body as Issuer).status?.conditions?.at(-1)?.status;

describe('a failing reconcile', { concurrency: true }, () => {
  it('a failing reconcile is counted, logged with its next attempt, and shown as waiting for a retry', async t => {
    const { lines, log } = recordLog('warn');
    const { client, registry } = await start(t, { options: { log } });
    client.answerFirst(({ path }) => {
      if (path === SECRET) throw new RetryableError('no quorum', { code: 'server', retryAfterMs: 60_000 });
    });
    client.push('certificatesigningrequests', 'ADDED', buildCsr(), '101');
    await until(() => lines.some(({ msg }) => msg === 'reconcile failed'));
    const { queue, key, retryInMs, reconcileId } = lines.find(({ msg }) => msg === 'reconcile failed') ?? {};
    assert.deepEqual([queue, key], ['csr', 'jane']);
    assert.ok(Number(retryInMs) >= 60_000, String(retryInMs));
    assert.match(String(reconcileId), /^[\da-f-]{36}$/);
    const metrics = await registry.metrics();
    assert.ok(metrics.includes('countersign_work_errors_total{queue="csr",code="server"} 1'));
    assert.ok(metrics.includes('countersign_requests_waiting{reason="Retry",issuer_type="ca"} 1'));
  });

  it('a reconcile that fails permanently is counted and not shown as waiting', async t => {
    const { client, registry } = await start(t, {});
    client.answerFirst(call => {
      if (isStatusPatch(call)) throw new TerminalError('422', { code: 'invalid' });
    });
    // The request is to be failed, and the API server rejects that.
    const annotations = { [REQUEST_DURATION]: 'foo' };
    client.push('certificatesigningrequests', 'ADDED', buildCsr({ annotations }), '101');
    const count = 'countersign_work_errors_total{queue="csr",code="invalid"} 1';
    await until(async () => (await registry.metrics()).includes(count));
    assert.doesNotMatch(await registry.metrics(), /^countersign_requests_waiting\{.*\} 1$/m);
    assert.equal(client.writes.length, 1);
  });
});

it('a certificate that the API server rejects as invalid is counted as an error, which raises an alert', async t => {
  const { client, registry } = await start(t, {});
  client.answerFirst(call => {
    if (isStatusPatch(call) && JSON.stringify(call.body).includes('"certificate"'))
      throw new TerminalError('422', { code: 'invalid' });
  });
  client.push('certificatesigningrequests', 'ADDED', buildCsr(), '101');
  const count = 'countersign_work_errors_total{queue="csr",code="invalid"} 1';
  await until(async () => (await registry.metrics()).includes(count));
});

it('a certificate whose answer was lost is reported before leadership ends', async t => {
  const { client, yieldLease } = await start(t, {});
  let written: CsrStatus | undefined;
  client.answerFirst(call => {
    if (isStatusPatch(call)) {
      ({ status: written } = call.body as { status: CsrStatus });
      throw new RetryableError('reset', { code: 'network', retryAfterMs: 60_000 });
    }
    const isRead = call.verb === 'get' && call.path === `${CSRS}/jane`;
    return isRead ? { ...buildCsr(), status: { ...buildCsr().status, ...written } } : undefined;
  });
  client.push('certificatesigningrequests', 'ADDED', buildCsr(), '101');
  await until(() => written !== undefined);
  await yieldLease();
  await until(() => client.events.some(event => event.startsWith('Normal CertificateIssued')));
});

describe('the Ready condition of an Issuer', { concurrency: true }, () => {
  it('the Ready condition is written when leadership begins and when an Issuer is created', async t => {
    const { client } = await start(t, { issuer: UNREADY, options: { issuerStatus: 'always' } });
    await until(() => client.writes.length === 1);
    const later = { ...UNREADY, metadata: { ...UNREADY.metadata, name: 'later', uid: 'u2' } };
    client.push('issuers', 'ADDED', later, '101');
    await until(() => client.writes.length === 2);
    assert.deepEqual(
      client.writes.map(call => [call.path.split('?', 1)[0]?.split('/').at(-2), readyOf(call)]),
      [
        ['my-ca', 'True'],
        ['later', 'True'],
      ],
    );
  });

  it('the Ready condition is not written by a replica that is not the leader', async t => {
    const { client } = await start(t, { issuer: UNREADY, leads: false, options: { issuerStatus: 'always' } });
    client.push('issuers', 'MODIFIED', UNREADY, '101');
    await sleep(50);
    assert.deepEqual(client.writes, []);
  });

  for (const [issuerStatus, holder, writes] of [
    ['auto', undefined, 1],
    ['auto', 'cert-manager', 0],
    ['never', undefined, 0],
    ['always', 'cert-manager', 1],
  ] as const) {
    it(`the Ready condition is written ${writes} times with ${issuerStatus} and ${holder ?? 'no holder'} for cert-manager's Lease`, async t => {
      const spec = { holderIdentity: holder, renewTime: new Date().toISOString(), leaseDurationSeconds: 60 };
      const { client } = await start(t, {
        issuer: UNREADY,
        options: { issuerStatus },
        answer: ({ path }) => (path === LEASE && holder !== undefined ? { spec } : undefined),
      });
      await until(() => client.count(SECRET) > 0 || writes === 0);
      await sleep(50);
      assert.equal(client.count(READY_PATCH), writes);
    });
  }

  it('a deleted Issuer is forgotten: its Secret is not read and its CA expiry not reported', async t => {
    const options = { issuerStatus: 'always' } as const;
    const { client, registry } = await start(t, { issuer: UNREADY, secret: undefined, options });
    await until(() => client.writes.length === 1 && client.count(SECRET) >= 2);
    client.push('issuers', 'DELETED', UNREADY, '101');
    await sleep(50);
    const before = client.count(SECRET);
    await sleep(1_300);
    assert.equal(client.count(SECRET), before);
    client.secret = buildSecret(rootTexts());
    client.push('issuers', 'ADDED', UNREADY, '102');
    const expiry = /^countersign_ca_not_after_timestamp_seconds\{.*\} /m;
    await until(async () => expiry.test(await registry.metrics()));
    client.push('issuers', 'DELETED', UNREADY, '103');
    await until(async () => !expiry.test(await registry.metrics()));
  });

  it('a recreated Issuer gets its event again', async t => {
    const { client } = await start(t, { issuer: UNREADY, options: { issuerStatus: 'always' } });
    const eventCount = () => client.events.filter(event => event.includes('KeyPairVerified')).length;
    await until(() => eventCount() === 1);
    client.push('issuers', 'DELETED', UNREADY, '101');
    client.push('issuers', 'ADDED', UNREADY, '102');
    await until(() => eventCount() === 2);
  });
});
