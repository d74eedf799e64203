// `kubectl countersign explain` and `pending` against a fake API server: what they read, and what they say if they
// may not.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { readyIssuer } from '../../support/cli/facts.ts';
import { FakeCluster, forbidden, refusal } from '../../support/cli/fake-cluster.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { CSRS, csrManifest } from '../../support/requests.ts';

const ISSUER = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my-ca';
const EVENTS = '/api/v1/namespaces/default/events';
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const OWN_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const WHO_AM_I = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const allowed = (is: boolean) => ({ body: { status: { allowed: is } } });

let cluster: FakeCluster;
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());

beforeEach(() => {
  cluster.reset();
  cluster.on(`GET ${CSRS}/jane`, { body: buildCsr({ conditions: [] }) });
  cluster.on(`GET ${ISSUER}`, { body: readyIssuer() });
  cluster.on(`GET ${EVENTS}`, { body: { items: [] } });
  cluster.on(`POST ${REVIEWS}`, allowed(true));
  cluster.on(`POST ${WHO_AM_I}`, { body: { status: { userInfo: { username: 'jane', groups: ['team'] } } } });
});

describe('kubectl countersign explain', () => {
  test('explains a pending CSR', async () => {
    const { code, printed, complaints } = await cluster.run(['explain', 'jane']);
    assert.equal(code, 0, complaints());
    assert.match(printed(), /Issuer sandbox\/my-ca \(ca\) is Ready/);
    assert.match(printed(), /kubectl countersign approve jane/);
  });

  test('kubectl countersign explain asks for the permission of the requester, with all groups', async () => {
    await cluster.run(['explain', 'jane']);
    const review = cluster.sent.find(({ call }) => call === `POST ${REVIEWS}`);
    const { spec } = (review ?? assert.fail()).body as { spec: { user: string; groups: string[] } };
    assert.deepEqual([spec.user, spec.groups], ['jane', ['system:authenticated']]);
  });

  test('kubectl countersign explain says what cannot be checked without the right to read it', async () => {
    cluster.on(`GET ${ISSUER}`, forbidden('get issuers'));
    cluster.on(`GET ${EVENTS}`, forbidden('list events'));
    cluster.on(`POST ${REVIEWS}`, forbidden('create subjectaccessreviews'));
    cluster.on(`POST ${WHO_AM_I}`, { body: { status: { userInfo: { username: 'approver' } } } });
    const { code, printed } = await cluster.run(['explain', 'jane']);
    assert.equal(code, 0);
    assert.match(printed(), /is not known: you may not get issuers\.cert-manager\.io/);
    assert.match(printed(), /cannot be checked: you may not create subjectaccessreviews/);
    assert.match(printed(), /not shown: you may not list events/);
  });

  test('kubectl countersign explain lets a requester check their own permission', async () => {
    cluster.on(`POST ${REVIEWS}`, forbidden('create subjectaccessreviews'));
    cluster.on(`POST ${OWN_REVIEWS}`, allowed(false));
    const { code, printed } = await cluster.run(['explain', 'jane']);
    assert.equal(code, 3);
    assert.match(printed(), /may not reference the issuer/);
    assert.match(printed(), /kubectl create rolebinding/);
  });

  test('kubectl countersign explain sends a manifest as a dry run only, and shows the warnings', async () => {
    const warning = '299 - "Issuer sandbox/my-ca is not Ready; the request waits (\\"x\\")"';
    cluster.on(`POST ${CSRS}?dryRun=All`, { body: {}, headers: { warning } });
    cluster.on(`POST ${OWN_REVIEWS}`, allowed(true));
    const manifest = JSON.stringify(csrManifest({ name: 'new', signerName: 'issuers.cert-manager.io/sandbox.my-ca' }));
    const { code, printed, complaints } = await cluster.run(['explain', '-f', 'new.yaml'], {
      files: { 'new.yaml': manifest },
    });
    assert.equal(code, 0, complaints());
    assert.match(printed(), /and warns:\n.*is not Ready; the request waits \("x"\)/);
    assert.match(printed(), /kubectl create -f new\.yaml/);
    const writes = cluster.sent.filter(({ call }) => call.startsWith(`POST ${CSRS}`)).map(({ call }) => call);
    assert.deepEqual(writes, [`POST ${CSRS}?dryRun=All`]);
  });

  test('kubectl countersign explain shows the refusal of the webhook, and exits with 3', async () => {
    const message = 'admission webhook "requests.countersign.io" denied the request: no (SigningError)';
    cluster.on(`POST ${CSRS}?dryRun=All`, refusal(422, 'SigningError', message));
    cluster.on(`POST ${OWN_REVIEWS}`, allowed(true));
    const manifest = JSON.stringify(csrManifest({ name: 'new', signerName: 'issuers.cert-manager.io/sandbox.my-ca' }));
    const { code, printed } = await cluster.run(['explain', '-f', '-'], { files: { '-': manifest } });
    assert.equal(code, 3);
    assert.match(printed(), /denied the request: no \(SigningError\)/);
  });

  test('escapes what a tenant chose, also in errors', async () => {
    const evil = '\u001b[2Jowned';
    cluster.on(`GET ${CSRS}/jane`, {
      body: {
        ...buildCsr({ conditions: ['Approved', 'Failed'] }),
        spec: { ...buildCsr().spec, username: evil, groups: [evil] },
      },
    });
    cluster.on(`GET ${CSRS}/other`, refusal(500, 'InternalError', evil));
    const shown = await cluster.run(['explain', 'jane']);
    const failed = await cluster.run(['explain', 'other']);
    assert.ok(!(shown.printed() + failed.complaints()).includes('\u001b'));
    assert.match(shown.printed(), /\\x1b\[2Jowned/);
    assert.equal(failed.code, 1);
  });

  const mistakes = [
    [['explain'], /explain takes one NAME, or -f FILE/],
    [['explain', 'a', 'b'], /explain takes one NAME/],
    [['explain', 'jane', '--nope'], /unknown flag --nope[^]*explain --help/],
    [['explain', 'jane', '-o', 'table'], /-o must be one of: json, yaml/],
    [['explain', 'jane', '--context'], /--context requires a value/],
    [['explain', 'jane', '--as-group', 'x'], /--as-group requires --as/],
    [['explain', '-f', 'list.yaml'], /list\.yaml: the kind is "List"/],
    [['explain', '-f', 'broken.yaml'], /broken\.yaml is not valid YAML at line 1/],
    [['explian', 'jane'], /"explian" is an unknown command/],
    [['-n', 'x', 'explain'], /"-n" is a flag before the command/],
  ] as const;
  const files = { 'list.yaml': '{"kind": "List"}', 'broken.yaml': 'secret: [' };
  for (const [args, message] of mistakes) {
    test(`kubectl countersign explain refuses ${args.join(' ')}, and sends nothing`, async () => {
      const { code, complaints } = await cluster.run(args, { files });
      assert.equal(code, 2);
      assert.match(complaints(), message);
      assert.deepEqual(cluster.sent, []);
    });
  }

  test('kubectl countersign explain says which CSR does not exist', async () => {
    const { code, complaints } = await cluster.run(['explain', 'nope']);
    assert.equal(code, 1);
    assert.match(complaints(), /error: CertificateSigningRequest "nope" does not exist\nkubectl get csr/);
  });

  test('impersonates a user with groups', async () => {
    await cluster.run(['explain', 'jane', '--as', 'alice', '--as-group', 'one', '--as-group', 'two']);
    const headers = cluster.sent[0]?.headers ?? {};
    assert.deepEqual([headers['impersonate-user'], headers['impersonate-group']], ['alice', 'one, two']);
  });

  test('kubectl countersign explain says which contexts there are', async () => {
    const { code, complaints } = await cluster.run(['explain', 'jane', '--context', 'prod']);
    assert.equal(code, 1);
    assert.match(complaints(), /there is no context "prod"; use one of: test/);
  });
});

describe('kubectl countersign pending', () => {
  const old = buildCsr({ name: 'old', conditions: [] });
  const list = (...items: readonly object[]) => cluster.on(`GET ${CSRS}`, { body: { items } });
  const created = (at: string) => ({ metadata: { ...old.metadata, name: at, uid: at, creationTimestamp: at } });

  test('kubectl countersign pending lists open CSRs of cert-manager issuers, oldest first', async () => {
    list(
      { ...old, ...created('2026-11-24T11:00:00Z') },
      { ...old, ...created('2026-11-23T11:00:00Z') },
      buildCsr({ name: 'done', conditions: ['Denied'] }),
      buildCsr({ name: 'other', conditions: [], signerName: 'kubernetes.io/kubelet-serving' }),
    );
    const { code, printed } = await cluster.run(['pending']);
    assert.equal(code, 0);
    assert.match(
      printed(),
      /^NAME +AGE +REQUESTER +ISSUER +WAITS FOR +SUBJECT +NAMES\n2026-11-23.* jane +sandbox\/my-ca +approval +CN=example +-\n2026-11-24/,
    );
    assert.equal(printed().split('\n').length, 4);
  });

  test('kubectl countersign pending names what an approved CSR waits for', async () => {
    list(buildCsr({ name: 'a' }));
    const involvedObject = { uid: 'uid-of-a' };
    const event = { type: 'Warning', reason: 'SecretMissing', message: 'x', lastTimestamp: '2026-11-24T11:59:01Z' };
    cluster.on(`GET ${EVENTS}`, { body: { items: [{ ...event, involvedObject }] } });
    assert.match((await cluster.run(['pending'])).printed(), /\na .* SecretMissing /);
  });

  test('kubectl countersign pending reads every page', async () => {
    cluster.on(`GET ${CSRS}`, ({ call }) => {
      const isLast = call.includes('continue=next');
      return {
        body: { metadata: isLast ? {} : { continue: 'next' }, items: [{ ...old, ...created(isLast ? 'b' : 'a') }] },
      };
    });
    assert.match((await cluster.run(['pending'])).printed(), /\na [^]*\nb /);
  });

  test('kubectl countersign pending lists the Issuers of one namespace', async () => {
    list(old, buildCsr({ name: 'cluster', conditions: [], signerName: 'clusterissuers.cert-manager.io/x' }));
    assert.doesNotMatch((await cluster.run(['pending', '-n', 'sandbox'])).printed(), /cluster/);
    assert.match((await cluster.run(['pending', '-n', 'other'])).complaints(), /No CSR waits/);
  });

  test('kubectl countersign pending prints keys with -o wide, and everything with -o json', async () => {
    list(old);
    assert.match(
      (await cluster.run(['pending', '-o', 'wide'])).printed(),
      /ECDSA P-256 +digital signature, key encipherment +2160h/,
    );
    const [item] = JSON.parse((await cluster.run(['pending', '-o', 'json'])).printed()).items;
    assert.deepEqual([item.name, item.waitsFor, item.request.subject], ['old', 'approval', 'CN=example']);
  });

  test('kubectl countersign pending refuses names', async () =>
    assert.equal((await cluster.run(['pending', 'x'])).code, 2));
});
