// The complete product on a real node, from `helm install` to `helm uninstall`, from the point of view of an operator
// and two users. The tests depend on each other and follow the life of a release.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { csrManifest } from '../support/requests.ts';
import { RequestStream, type Tally } from './request-stream.ts';
import { requirement, requirePrograms } from './requirements.ts';
import { CHART, NAMESPACE, openTestCluster, type Scene, SIGNER_NAME } from './test-cluster.ts';

const SELF_SIGNED = 'issuers.cert-manager.io/sandbox.self-signed';
const LEASE = ['get', 'lease', 'countersign-signer', '-n', NAMESPACE, '-o', 'jsonpath={.spec.holderIdentity}'];

const VALUES = {
  webhook: { image: { pullPolicy: 'Never' } },
  signer: { image: { pullPolicy: 'Never' } },
  referencers: [
    { namespace: 'sandbox', issuer: 'my-issuer', subjects: [{ kind: 'User', name: 'jane' }] },
    { namespace: 'sandbox', issuer: 'self-signed', subjects: [{ kind: 'User', name: 'jane' }] },
    { namespace: 'sandbox', issuer: 'not-there', subjects: [{ kind: 'User', name: 'jane' }] },
  ],
};

/** The senders take turns; every second permitted CSR is for our signer. */
const SENDERS = [
  { user: 'jane', signerName: SIGNER_NAME, isPermitted: true },
  { user: 'mallory', signerName: SIGNER_NAME, isPermitted: false },
  { user: 'jane', signerName: SIGNER_NAME, isPermitted: true },
  { user: 'mallory', signerName: 'example.com/not-ours', isPermitted: true },
];

describe('installed on a real node', requirement, () => {
  let scene: Scene;
  let values: string;
  before(async () => {
    scene = await openTestCluster(requirePrograms());
    values = await scene.writeValues('values.yaml', VALUES);
    await scene.kubectl(['create', 'namespace', 'sandbox']);
    const restricted = 'pod-security.kubernetes.io/enforce=restricted';
    await scene.kubectl(['create', 'namespace', NAMESPACE]);
    await scene.kubectl(['label', 'namespace', NAMESPACE, restricted]);
  });
  after(() => scene?.close());

  test('helm installs the chart into a namespace with restricted Pod Security', async () => {
    await scene.helm('install', 'countersign', CHART, '--values', values, '--wait', '--timeout', '90s');
    await scene.furnish();
    const pods = await scene.kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'jsonpath={.items[*].status.phase}']);
    assert.equal(pods, 'Running Running Running Running');
  });

  test('mallory is refused at creation, with the missing permission in the message', async () => {
    const csr = csrManifest({ name: 'mallory', signerName: SIGNER_NAME });
    const { code, stderr } = await scene.tryKubectl('mallory', ['create', '-f', '-'], csr);
    assert.equal(code, 1);
    assert.match(stderr, /DeniedReference.*mallory/s);
  });

  test('jane gets a certificate signed by the CA of the issuer', async () => {
    const leaf = await issue({ name: 'jane', signerName: SIGNER_NAME });
    const ca = new X509Certificate(await readFile(scene.path('ca.crt')));
    assert.ok(leaf.verify(ca.publicKey));
    assert.equal(leaf.subjectAltName, 'DNS:jane.example.com');
  });

  test('jane gets a certificate signed with her own key', async () => {
    const annotations = { 'experimental.cert-manager.io/private-key-secret-name': 'self-key' };
    const prepare = () => {
      const file = `--from-file=tls.key=${scene.path('self.key')}`;
      return scene.kubectl(['create', 'secret', 'generic', 'self-key', '-n', 'sandbox', file]);
    };
    const leaf = await issue({ name: 'self', signerName: SELF_SIGNED, annotations, prepare });
    assert.ok(leaf.verify(leaf.publicKey));
  });

  test('jane gets a warning about an issuer that does not exist', async () => {
    const csr = csrManifest({ name: 'early', signerName: 'issuers.cert-manager.io/sandbox.not-there' });
    const { code, stderr } = await scene.tryKubectl('jane', ['create', '-f', '-'], csr);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Warning: .*not-there/);
  });

  test('metrics are served through the Services', async () => {
    // The Service picks a replica at random, and the API server may have called only one of them.
    const webhook = await Promise.all(Array.from({ length: 20 }, () => metrics('webhook')));
    assert.match(webhook.join(''), /^countersign_webhook_admissions_total\{/m);
    assert.match(await metrics('signer'), /^leader_election_master_status/m);
  });

  test('helm test passes and removes its resources', async () => {
    await scene.helm('test', 'countersign', '--timeout', '60s');
    const left = await scene.kubectl(['get', 'pods,roles,configmaps', '-n', NAMESPACE, '-o', 'name']);
    assert.doesNotMatch(left, /-test/);
  });

  test('another pod signs after the leader is killed', async () => {
    const leader = await scene.kubectl(LEASE);
    const pod = leader.slice(0, leader.indexOf('_'));
    await scene.kubectl(['delete', 'pod', pod, '-n', NAMESPACE, '--grace-period=0', '--force']);
    await issue({ name: 'after-leader', signerName: SIGNER_NAME, seconds: 45 });
    assert.notEqual(await scene.kubectl(LEASE), leader);
  });

  for (const [change, doIt] of [
    [
      'an upgrade',
      () => scene.helm('upgrade', 'countersign', CHART, '--values', values, '--set', 'logLevel=debug', ...WAIT),
    ],
    ['a rollback', () => scene.helm('rollback', 'countersign', '1', ...WAIT)],
    ['a rolling restart', () => restart()],
  ] as const) {
    test(`${change} neither admits forbidden requests nor refuses permitted ones`, async t => {
      t.diagnostic(checkTally(await underLoad(SENDERS, doIt)));
    });
  }

  test('uninstalling the chart never blocks a request and leaves no resources behind', async t => {
    const [jane, , , other] = SENDERS;
    assert.ok(jane && other);
    const uninstall = ['uninstall', 'countersign', '--wait', '--timeout', '60s'];
    t.diagnostic(checkTally(await underLoad([jane, other], () => scene.helm(...uninstall))));
    assert.equal(await remainingResources(), '');
  });

  interface IssueOptions {
    readonly name: string;
    readonly signerName: string;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Runs between the creation of the request and of its CSR. The key is in `<name>.key`. */
    readonly prepare?: () => Promise<unknown>;
    readonly seconds?: number;
  }

  /** Creates a CSR as jane, approves it as the administrator, and returns the certificate. */
  async function issue({
    name,
    signerName,
    annotations = {},
    prepare,
    seconds = 20,
  }: IssueOptions): Promise<X509Certificate> {
    const request = await scene.makeRequest(name);
    await prepare?.();
    const csr = csrManifest({ name, signerName, annotations, request });
    const created = await scene.tryKubectl('jane', ['create', '-f', '-'], csr);
    assert.equal(created.code, 0, created.stderr);
    await scene.kubectl(['certificate', 'approve', name]);
    const certificate = 'jsonpath={.status.certificate}';
    await scene.kubectl(['wait', `csr/${name}`, `--for=${certificate}`, `--timeout=${seconds}s`]);
    return new X509Certificate(Buffer.from(await scene.kubectl(['get', 'csr', name, '-o', certificate]), 'base64'));
  }

  function metrics(service: 'signer' | 'webhook'): Promise<string> {
    const proxy = `/api/v1/namespaces/${NAMESPACE}/services/countersign-${service}:http/proxy/metrics`;
    return scene.kubectl(['get', '--raw', proxy]);
  }

  async function restart(): Promise<void> {
    await scene.kubectl(['rollout', 'restart', 'deployment', '-n', NAMESPACE]);
    await scene.kubectl(['rollout', 'status', 'deployment', '-n', NAMESPACE, '--timeout=90s']);
  }

  function checkTally({ sent, wrong, errors, slowestMs }: Tally): string {
    assert.deepEqual([wrong.slice(0, 3), wrong.length, errors.slice(0, 3), errors.length], [[], 0, [], 0]);
    return `${sent} requests, slowest ${slowestMs} ms`;
  }

  /** Sends requests until the last of the old pods is gone, and a moment longer. */
  async function underLoad(senders: typeof SENDERS, change: () => Promise<unknown>): Promise<Tally> {
    const stream = new RequestStream(scene.api, senders);
    try {
      await change();
      await scene.node.eventually(
        'no pod is terminating',
        async () => ((await terminatingPods()) === '' ? true : undefined),
        90_000,
      );
    } catch (error) {
      await stream.stop();
      throw error;
    }
    return stream.stop();
  }

  function terminatingPods(): Promise<string> {
    return scene.kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'jsonpath={.items[*].metadata.deletionTimestamp}']);
  }

  /** Returns all resources with the release's label, except the CRDs, which are kept on purpose. */
  async function remainingResources(): Promise<string> {
    const listable = ['api-resources', '--verbs=list', '-o', 'name'];
    const kinds = (await scene.kubectl(listable))
      .trim()
      .split('\n')
      .filter(kind => !kind.startsWith('customresourcedef'));
    const label = ['-l', 'app.kubernetes.io/instance=countersign', '-A', '-o', 'name'];
    return scene.kubectl(['get', kinds.join(','), ...label]);
  }
});

const WAIT = ['--wait', '--timeout', '120s'];
