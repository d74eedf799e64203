// `kubectl countersign approve` and `deny` against a fake API server: what is shown is what is decided.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { readyIssuer } from '../../support/cli/facts.ts';
import { FakeCluster, refusal } from '../../support/cli/fake-cluster.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { CSRS } from '../../support/requests.ts';
import { readRequest } from '../../support/vectors.ts';

const APPROVAL = `PUT ${CSRS}/jane/approval`;

let cluster: FakeCluster;
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());

beforeEach(() => {
  cluster.reset();
  for (const name of ['jane', 'john']) {
    cluster.on(`GET ${CSRS}/${name}`, { body: buildCsr({ name, conditions: [] }) });
    cluster.on(`PUT ${CSRS}/${name}/approval`, { body: {} });
  }
  cluster.on('GET /apis/cert-manager.io/v1/namespaces/sandbox/issuers/my-ca', { body: readyIssuer() });
  cluster.on('GET /api/v1/namespaces/default/events', { body: { items: [] } });
  cluster.on('POST /apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { status: { allowed: true } } });
});

const writes = () => cluster.sent.filter(({ call }) => call.startsWith('PUT'));
const firstWritten = () => (writes()[0] ?? assert.fail('nothing was written')).body as ReturnType<typeof buildCsr>;

describe('kubectl countersign approve', () => {
  test('shows the content, asks, and approves what was shown', async () => {
    const { code, printed, complaints } = await cluster.run(['approve', 'jane'], { answers: ['y'] });
    assert.equal(code, 0, complaints());
    assert.match(complaints(), /Subject +CN=example[^]*Approve jane\? \[y\/N\]/);
    assert.doesNotMatch(complaints(), /kubectl countersign approve/);
    assert.equal(printed(), 'certificatesigningrequest.certificates.k8s.io/jane approved\n');
    const { metadata, status } = firstWritten();
    assert.equal(metadata.resourceVersion, '7');
    const [{ type, status: value, reason, message } = assert.fail()] = status?.conditions ?? [];
    assert.deepEqual(
      [type, value, reason, message],
      ['Approved', 'True', 'KubectlCountersignApprove', 'approved with kubectl countersign approve'],
    );
  });

  for (const answer of ['n', '', 'yep', 'approve']) {
    test(`decides nothing if the answer is "${answer}"`, async () => {
      const { code, complaints } = await cluster.run(['approve', 'jane'], { answers: [answer] });
      assert.equal(code, 5);
      assert.match(complaints(), /jane was not approved/);
      assert.deepEqual(writes(), []);
    });
  }

  test('refuses to approve what changed after it was shown', async () => {
    cluster.on(APPROVAL, refusal(409, 'Conflict', 'the object has been modified'));
    const { code, complaints } = await cluster.run(['approve', 'jane'], { answers: ['y'] });
    assert.equal(code, 5);
    assert.match(complaints(), /cannot approve jane: it changed after it was shown\nNothing was decided/);
  });

  test('needs --yes without a terminal, and says so before it shows anything', async () => {
    const { code, complaints } = await cluster.run(['approve', 'jane']);
    assert.equal(code, 2);
    assert.match(complaints(), /^error: cannot ask for confirmation without a terminal\n.* add --yes/);
    assert.deepEqual(cluster.sent, []);
  });

  test('approves several with --yes, with a message', async () => {
    const { code, printed } = await cluster.run(['approve', 'jane', 'john', 'jane', '--yes', '--message', 'ticket 42']);
    assert.equal(code, 0);
    assert.match(printed(), /jane approved\n.*john approved\n$/);
    const messages = writes().map(({ body }) => (body as ReturnType<typeof buildCsr>).status?.conditions?.[0]?.message);
    assert.deepEqual(messages, ['ticket 42', 'ticket 42']);
  });

  test('goes on after an error, and exits with the first code', async () => {
    const { code, printed, complaints } = await cluster.run(['approve', 'nope', 'john', '--yes']);
    assert.equal(code, 1);
    assert.match(complaints(), /"nope" does not exist/);
    assert.match(printed(), /john approved/);
  });

  test('refuses what would fail, unless it is forced', async () => {
    cluster.on(`GET ${CSRS}/jane`, { body: buildCsr({ conditions: [], request: readRequest('serving') }) });
    const refused = await cluster.run(['approve', 'jane', '--yes']);
    assert.equal(refused.code, 3);
    assert.match(
      refused.complaints(),
      /jane cannot be signed as it is, and would fail:\n- spec\.request: .*ExtKeyUsages/,
    );
    assert.deepEqual(writes(), []);
    assert.equal((await cluster.run(['approve', 'jane', '--yes', '--force'])).code, 0);
  });

  test('says who may approve if the API server refuses', async () => {
    cluster.on(APPROVAL, refusal(403, 'Forbidden', 'user not permitted to approve requests with signerName "x"'));
    const { code, complaints } = await cluster.run(['approve', 'jane', '--yes']);
    assert.equal(code, 1);
    assert.match(complaints(), /user not permitted to approve[^]*needs the verb approve on the signer name/);
  });

  test('leaves CSRs of other signers to kubectl', async () => {
    cluster.on(`GET ${CSRS}/jane`, { body: buildCsr({ conditions: [], signerName: 'kubernetes.io/kubelet-serving' }) });
    const { code, complaints } = await cluster.run(['approve', 'jane', '--yes']);
    assert.equal(code, 2);
    assert.match(complaints(), /not for an issuer\nUse kubectl certificate approve/);
  });

  test('does nothing for a CSR that is approved, and fails for one that is denied', async () => {
    cluster.on(`GET ${CSRS}/jane`, { body: buildCsr() });
    assert.match((await cluster.run(['approve', 'jane', '--yes'])).printed(), /already approved/);
    cluster.on(`GET ${CSRS}/jane`, { body: buildCsr({ conditions: ['Denied'] }) });
    const { code, complaints } = await cluster.run(['approve', 'jane', '--yes']);
    assert.equal(code, 3);
    assert.match(complaints(), /cannot approve jane: it is Denied \(Test\)/);
    assert.deepEqual(writes(), []);
  });
});

describe('kubectl countersign deny', () => {
  test('denies even what could not be signed, with the message for the requester', async () => {
    cluster.on(`GET ${CSRS}/jane`, { body: buildCsr({ conditions: [], request: readRequest('serving') }) });
    const { code, printed } = await cluster.run(['deny', 'jane', '--message', 'use your own name'], {
      answers: ['yes'],
    });
    assert.equal(code, 0);
    assert.match(printed(), /jane denied/);
    const { status } = firstWritten();
    assert.deepEqual(
      [status?.conditions?.[0]?.type, status?.conditions?.[0]?.message],
      ['Denied', 'use your own name'],
    );
  });

  test('has no flag --force', async () => {
    assert.equal((await cluster.run(['deny', 'jane', '--force'])).code, 2);
  });
});
