// Certificates of pods on a real node, as their kubelet asks for them: between pods that verify each other, for pods
// that may not have one yet, and through what happens to a cluster meanwhile. The tests build on each other.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openAuthority } from '../support/control-plane/authority.ts';
import { leafOf } from '../support/pods.ts';
import { openPodScene, type PodObject, type PodScene, secondsSince, secondsUntilReady } from './pod-scene.ts';
import {
  ANCHORS,
  CREDENTIALS,
  deployment,
  grant,
  PORT,
  service,
  serviceAccount,
  serviceHost,
  spiffeId,
  TEAM,
  type Workload,
} from './pod-workloads.ts';
import { requirement, requirePrograms } from './requirements.ts';
import { NAMESPACE, type Scene, SIGNER_NAME } from './test-cluster.ts';

const SERVER_ADDRESS = '10.96.0.60';
const LEASE = ['get', 'lease', 'countersign-signer', '-n', NAMESPACE, '-o', 'jsonpath={.spec.holderIdentity}'];

describe('pods on a real node', requirement, () => {
  let pods: PodScene;
  let scene: Scene;
  before(async () => {
    pods = await openPodScene(requirePrograms());
    scene = pods.scene;
    await pods.install();
  });
  after(() => pods?.close());

  test("the mTLS server and client of Kubernetes' own conformance tests verify each other", async t => {
    const files = [`--server-creds=${CREDENTIALS}`, `--spiffe-trust-bundle=${ANCHORS}`];
    const server = ['mtlsserver', `--listen=:${PORT}`, ...files];
    const client = [
      'mtlsclient',
      `--fetch-url=https://${serviceHost('server')}:${PORT}/spiffe-echo`,
      `--server-trust-bundle=${ANCHORS}`,
      `--client-cred-bundle=${CREDENTIALS}`,
    ];
    await pods.apply(service('server', SERVER_ADDRESS));
    await pods.run({ name: 'server', signerName: SIGNER_NAME, args: server, readyPort: PORT });
    const hosts = { [serviceHost('server')]: SERVER_ADDRESS };
    await pods.run({ name: 'client', signerName: SIGNER_NAME, args: client, hosts });
    // It polls every 10 s.
    const log = await scene.node.eventually(
      'an answer of the server',
      async () => {
        const said = await scene.kubectl(['logs', '-n', TEAM, 'deployment/client']);
        return said.includes('response body') ? said : undefined;
      },
      40_000,
    );
    assert.match(log, new RegExp(`Client Identity: ${spiffeId('client')}`));
    t.diagnostic(await figures('server', 'client'));
  });

  test('a Deployment whose ServiceAccount may not use the issuer has no pod until it is granted', async t => {
    const late: Workload = { ...idle('late'), readyPort: PORT };
    await pods.apply(serviceAccount('late'));
    const { code, stderr } = await scene.tryKubectl('admin', ['apply', '-f', '-'], deployment(late));
    assert.deepEqual([code, /Warning: .*team\/late may not reference the issuer/.test(stderr)], [0, true], stderr);
    const failure = 'jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].message}';
    const message = await scene.node.eventually(
      'the Deployment says why it has no pod',
      async () => (await scene.kubectl(['get', 'deployment', 'late', '-n', TEAM, '-o', failure])) || undefined,
      20_000,
    );
    assert.match(message, /ServiceAccount team\/late may not reference the issuer of .* \(DeniedReference\)/);
    assert.deepEqual(await pods.pods('late'), []);
    const granted = performance.now();
    await pods.apply(...grant('late'));
    await pods.rolledOut('late');
    t.diagnostic(`Ready ${secondsSince(granted)} s after the grant`);
  });

  test('a pod that is created without the right waits, says why, and starts once it is granted', async t => {
    await pods.upgrade('podCertificates.admissionPolicies.refusePods=false');
    await pods.apply(serviceAccount('waiting'), deployment(idle('waiting')));
    const [pod, message] = await scene.node.eventually(
      'the pod has the event of the signer',
      async () => {
        const [waiting] = await pods.pods('waiting');
        const events = waiting ? await pods.eventsOf(waiting) : [];
        const found = events.find(({ type, reason }) => type === 'Warning' && reason === 'DeniedReference');
        // The kubelet reports the state of the container a moment later.
        const isCreating = waiting && stateOf(waiting) === 'ContainerCreating';
        return isCreating && found ? ([waiting, found.message] as const) : undefined;
      },
      60_000,
    );
    assert.match(
      message,
      /^ServiceAccount team\/waiting may not reference Issuer sandbox\/my-issuer: it cannot reference/,
    );
    const granted = performance.now();
    await pods.apply(...grant('waiting'));
    await pods.rolledOut('waiting', 90);
    const [started] = await pods.pods('waiting');
    assert.equal(started?.metadata.uid, pod.metadata.uid);
    t.diagnostic(`Ready ${secondsSince(granted)} s after the grant`);
  });

  test('a kubelet that restarts gets new certificates for pods that run on, and no handshake fails', async t => {
    await pods.runMesh();
    await pods.settled();
    const old = await pods.requests('mesh');
    const done = await pods.withoutFailure(async () => {
      await scene.node.restartKubelet();
      await pods.whenRenewed(old.map(({ metadata }) => metadata.name));
    });
    t.diagnostic(done);
    const restarts = (await pods.pods('mesh')).flatMap(({ status }) => status.containerStatuses ?? []);
    assert.deepEqual(
      restarts.map(({ restartCount }) => restartCount),
      [0, 0],
    );
  });

  test('a CA is replaced under pods that run, and no handshake fails', async t => {
    const old = await pods.requests('mesh');
    const done = await pods.withoutFailure(async () => {
      await openAuthority('Next CA', scene.path('next.crt'), scene.path('next.key'));
      await replaceCa('next');
      const haveBoth = async () => (await pods.tallies()).every(({ anchors }) => anchors === 2) || undefined;
      await scene.node.eventually('both pods trust both CAs', haveBoth, 120_000);
      await scene.node.restartKubelet();
      await pods.whenRenewed(old.map(({ metadata }) => metadata.name));
    });
    t.diagnostic(done);
    const next = new X509Certificate(await readFile(scene.path('next.crt')));
    const serials = pods.signedBy(await pods.requests('mesh'), next).map(({ serialNumber }) => serialNumber);
    assert.equal(serials.length, 2);
    const clients = new Set((await pods.tallies()).flatMap(tally => Object.keys(tally.clients)));
    assert.deepEqual(
      serials.filter(serial => !clients.has(serial)),
      [],
    );
  });

  test('a certificate has one serial when the leader is killed after its signature and before its write', async () => {
    await pods.apply(...NO_WRITES);
    const [issued] = await pods.requests('mesh');
    const dryRun = ['patch', 'podcertificaterequest', issued!.metadata.name, '-n', TEAM, '--subresource=status'];
    await scene.node.eventually(
      'no status is written',
      async () => {
        const patch = [...dryRun, '--type=merge', '--patch={"status":{}}', '--dry-run=server'];
        return (await scene.tryKubectl('admin', patch)).code === 0 ? undefined : true;
      },
      20_000,
    );
    await pods.apply(serviceAccount('crash'), ...grant('crash'), deployment(idle('crash')));
    const leader = await scene.kubectl(LEASE);
    const [signed] = await signatures(podOf(leader), 1);
    await scene.kubectl(['delete', 'pod', podOf(leader), '-n', NAMESPACE, '--grace-period=0', '--force']);
    await scene.node.eventually(
      'another leader',
      async () => ((await scene.kubectl(LEASE)) === leader ? undefined : true),
      45_000,
    );
    const [signedAgain] = await signatures(podOf(await scene.kubectl(LEASE)), 1);
    await scene.kubectl(['delete', 'validatingadmissionpolicybinding', 'no-writes']);
    await pods.rolledOut('crash', 120);
    const [request] = await pods.requests('crash');
    const serial = leafOf(request!).serialNumber.toLowerCase().replace(/^0+/, '');
    assert.deepEqual([signed, signedAgain], [serial, serial]);
  });

  /** Serials by the audit lines of a signer's log, of requests of the ServiceAccount crash. */
  function signatures(pod: string, atLeast: number): Promise<string[]> {
    return scene.node.eventually(
      `${pod} has signed`,
      async () => {
        const log = await scene.kubectl(['logs', '-n', NAMESPACE, pod]);
        const lines = log
          .split('\n')
          .filter(line => line.includes('"signing certificate"') && line.includes(':crash"'));
        const serials = lines.map(line =>
          (JSON.parse(line) as { serial: string }).serial.toLowerCase().replace(/^0+/, ''),
        );
        return serials.length >= atLeast ? serials : undefined;
      },
      45_000,
    );
  }

  /** A workload that has a certificate, and does no more with it than to serve. */
  function idle(name: string): Workload {
    const args = [
      'mtlsserver',
      `--listen=:${PORT}`,
      `--server-creds=${CREDENTIALS}`,
      `--spiffe-trust-bundle=${ANCHORS}`,
    ];
    return { name, signerName: SIGNER_NAME, args };
  }

  async function replaceCa(name: string): Promise<void> {
    const [cert, key] = await Promise.all(['crt', 'key'].map(ending => readFile(scene.path(`${name}.${ending}`))));
    const data = { 'tls.crt': cert!.toString('base64'), 'tls.key': key!.toString('base64') };
    await scene.api.patch('/api/v1/namespaces/sandbox/secrets/my-ca', { data });
  }

  /** Of pods that run, and of the requests that the leader has signed. */
  async function figures(...apps: string[]): Promise<string> {
    const started = (await Promise.all(apps.map(app => pods.pods(app)))).flat().map(secondsUntilReady);
    const path = `/api/v1/namespaces/${NAMESPACE}/services/countersign-signer:http/proxy/metrics`;
    const [latency] = await scene.node.eventually(
      'the metrics of the leader',
      async () => {
        // The Service takes either replica.
        const text = await scene.kubectl(['get', '--raw', path]);
        return (
          /^countersign_pod_request_to_certificate_seconds_sum\{issuer_type="ca"\} 0\.\d+$/m.exec(text) ?? undefined
        );
      },
      10_000,
    );
    return `created to Ready: ${started.join(' s, ')} s; ${latency}, of ${apps.length} requests`;
  }
});

function stateOf({ status }: PodObject): string | undefined {
  return status.containerStatuses?.[0]?.state.waiting?.reason;
}

/** Of the identity of a leader: `<pod>_<uid>`. */
function podOf(identity: string): string {
  return identity.slice(0, identity.indexOf('_'));
}

/** Nobody can write the status of a PodCertificateRequest. */
const NO_WRITES = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'no-writes' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['certificates.k8s.io'],
            apiVersions: ['v1'],
            operations: ['UPDATE'],
            resources: ['podcertificaterequests/status'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'no status is written now' }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'no-writes' },
    spec: { policyName: 'no-writes', validationActions: ['Deny'] },
  },
];
