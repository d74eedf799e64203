// The complete controller with an in-memory cluster: how it reacts to changes as leader and as standby, and what it
// forgets when a request ends.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { buildIssuer, buildSecret, CA_SPEC, rootTexts } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { recordLog } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';
import { ClusterClient, CSRS, createController, SECRET, start } from './controller-harness.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const IS_WAITING = /^countersign_requests_waiting\{.*\} [1-9]/m;

const denied = buildCsr({ conditions: ['Denied'] });

// Concurrent, since some tests wait for more than a second.
describe('the controller', { concurrency: true }, () => {
  it('all log lines of a reconcile carry its id, and different reconciles have different ids', async t => {
    const { lines, log } = recordLog('info');
    await start(t, { csrs: [buildCsr({ name: 'a' }), buildCsr({ name: 'b' })], options: { log } });
    await until(() => lines.filter(({ msg }) => msg === 'certificate issued').length === 2);
    const [a, b] = ['a', 'b'].map(name => lines.filter(({ csr }) => csr === name).map(line => line['reconcileId']));
    assert.deepEqual([a?.length, b?.length], [2, 2]);
    assert.ok(a?.[0]);
    assert.equal(new Set(a).size, 1);
    assert.equal(new Set(b).size, 1);
    assert.notEqual(a?.[0], b?.[0]);
  });

  it('requests that are open when leadership begins are signed, as are later ones', async t => {
    const { client } = await start(t, { csrs: [buildCsr({ name: 'early' })] });
    client.push('certificatesigningrequests', 'ADDED', buildCsr({ name: 'late' }), '101');
    await until(() => client.writes.length === 2);
    const written = new Set(client.writes.map(({ path }) => path.split('/')[5]));
    assert.deepEqual(written, new Set(['early', 'late']));
  });

  it('requests on the first page of a long list are signed before the last page arrives', async t => {
    const rest = Promise.withResolvers<readonly CertificateSigningRequest[]>();
    // Runs first on teardown: the controller waits for the page.
    t.after(() => rest.resolve([]));
    const { client, controller } = await start(t, { csrs: [buildCsr({ name: 'first' })], rest: rest.promise });
    await until(() => client.writes.length === 1);
    assert.deepEqual(controller.problems(), ['certificatesigningrequests: not listed yet']);
    rest.resolve([buildCsr({ name: 'last' })]);
    await until(() => client.writes.length === 2 && controller.problems().length === 0);
  });

  it('a standby replica watches, and neither writes nor reads Secrets', async t => {
    const { client, controller } = await start(t, { csrs: [buildCsr()], leads: false });
    client.push('certificatesigningrequests', 'MODIFIED', buildCsr(), '101');
    await sleep(20);
    assert.deepEqual([client.writes, client.count(SECRET), controller.problems()], [[], 0, []]);
  });

  it('a request that waits for its Issuer is signed when the Issuer is created', async t => {
    const { client } = await start(t, { csrs: [buildCsr({ signerName: 'issuers.cert-manager.io/sandbox.later' })] });
    assert.deepEqual(client.writes, []);
    const { metadata, ...rest } = buildIssuer();
    client.push('issuers', 'ADDED', { metadata: { ...metadata, name: 'later' }, ...rest }, '101');
    await until(() => client.writes.length === 1);
  });

  it('a label change on an Issuer requeues nothing, and other changes only approved requests', async t => {
    const [waiting, unapproved] = ['a', 'b'].map(name =>
      buildCsr({ name, conditions: name === 'a' ? ['Approved'] : [] }),
    );
    const { client } = await start(t, { csrs: [waiting!, unapproved!], issuer: buildIssuer(CA_SPEC, 'False') });
    const reviews = () => client.count(REVIEWS);
    await until(() => reviews() === 1);
    const { metadata, ...rest } = buildIssuer(CA_SPEC, 'False');
    client.push('issuers', 'MODIFIED', { metadata: { ...metadata, labels: { a: 'b' } }, ...rest }, '101');
    client.push('issuers', 'MODIFIED', { metadata: { ...metadata, generation: 3 }, ...rest }, '102');
    await until(() => reviews() === 2);
    await sleep(20);
    assert.equal(reviews(), 2);
  });

  it('the event of an approved waiting request is recorded repeatedly, and that of an unapproved one once', async t => {
    const csrs = [buildCsr(), buildCsr({ name: 'unapproved', conditions: [] })];
    const { client } = await start(t, { csrs, secret: undefined, options: { emitAgainMs: 50 } });
    const countOf = (reason: string) => client.events.filter(event => event.includes(reason)).length;
    await until(() => countOf('SecretMissing') >= 3 && countOf('WaitingApproval') > 0);
    assert.equal(countOf('WaitingApproval'), 1);
  });

  it('a request that waits for its Secret is signed little more than a second after the Secret is created', async t => {
    const { client } = await start(t, { csrs: [buildCsr()], secret: undefined });
    await until(() => client.count(SECRET) > 0);
    client.secret = buildSecret(rootTexts());
    await until(() => client.writes.length === 1);
  });

  for (const [what, type, object] of [
    ['is denied', 'MODIFIED', denied],
    ['is deleted', 'DELETED', buildCsr()],
  ] as const) {
    it(`a request that ${what} while it waits for a Secret is forgotten: no more reads, and not counted as waiting`, async t => {
      const { client, registry } = await start(t, { csrs: [buildCsr()], secret: undefined });
      const waiting = 'countersign_requests_waiting{reason="SecretMissing",issuer_type="ca"}';
      await until(async () => (await registry.metrics()).includes(`${waiting} 1`));
      const before = client.count(SECRET);
      client.push('certificatesigningrequests', type, object, '101');
      await sleep(1_300);
      assert.equal(client.count(SECRET), before);
      assert.doesNotMatch(await registry.metrics(), IS_WAITING);
    });
  }

  it('a request deleted during its reconcile is not counted as waiting', async t => {
    const { client, registry } = await start(t, { secret: undefined });
    const answer = client.answer;
    client.answer = call => {
      if (call.path === SECRET) client.push('certificatesigningrequests', 'DELETED', buildCsr(), '102');
      return answer(call);
    };
    const get = client.get.bind(client);
    client.get = async path => {
      const object = await get<never>(path);
      if (path === SECRET) await sleep(10);
      return object;
    };
    client.push('certificatesigningrequests', 'ADDED', buildCsr(), '101');
    await until(() => client.count(SECRET) === 1);
    await sleep(60);
    assert.doesNotMatch(await registry.metrics(), IS_WAITING);
    const before = client.count(SECRET);
    assert.equal(before, 1);
  });

  it('leadership that ends before issuers are listed starts nothing', async t => {
    const client = new ClusterClient();
    client.lists['certificatesigningrequests'] = [buildCsr({ signerName: 'clusterissuers.cert-manager.io/later' })];
    const issuers = Promise.withResolvers<readonly unknown[]>();
    const { answer } = client;
    client.answer = call => (call.path.includes('/clusterissuers') ? issuers.promise : answer(call));
    const controller = createController(client);
    const [stop, stopLeading] = [new AbortController(), new AbortController()];
    const watching = controller.watch(stop.signal);
    const leading = controller.lead(soleLeadership(stopLeading.signal));
    t.after(() => {
      for (const end of [stop, stopLeading]) end.abort();
      issuers.resolve([]);
      return watching;
    });
    await until(() => controller.problems().length === 1);
    stopLeading.abort();
    await leading;
    await sleep(20);
    assert.deepEqual([client.writes, client.events], [[], []]);
  });

  it('a replica that lost leadership reports that and reads no more Secrets', async t => {
    const { client, registry, yieldLease } = await start(t, { csrs: [buildCsr()], secret: undefined });
    const leads = async () => /^leader_election_master_status (\d)$/m.exec(await registry.metrics())?.[1];
    await until(() => client.count(SECRET) > 0);
    assert.equal(await leads(), '1');
    await yieldLease();
    assert.equal(await leads(), '0');
    const before = client.count(SECRET);
    await sleep(1_300);
    assert.equal(client.count(SECRET), before);
    assert.equal(client.count(CSRS), 1);
  });
});
