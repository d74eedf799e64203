// All policy settings beyond cert-manager's behaviour at once, on a real API server: which requests are denied or wait,
// and the certificates as seen by openssl, Go and zlint.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  Certcheck,
  checkWithAll,
  createExpiredRoot,
  createRoot,
  explainedLints,
  openssl,
  splitPem,
} from '../support/certificate-checks.ts';
import { type Cluster, secretData, startCluster } from '../support/cluster.ts';
import { readPki } from '../support/pki.ts';
import {
  approve,
  createThenApprove,
  failureOf,
  type Issued,
  issue,
  tryCreateCsr,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';

const DURATION = 'experimental.cert-manager.io/request-duration';
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const HOUR_MS = 3_600_000;
const SHARED = ['--max-duration=720h', '--authorize-cluster-issuers=true'];
const OF_THE_SIGNER = ['--clamp-to-ca=true', '--refuse-expired-ca=true', '--backdate=5m'];
const OF_THE_CERTIFICATE = ['--leaf-key-identifier=true', '--root-in-chain=true'];
/** The CA/Browser Forum does not require a subjectKeyIdentifier in a leaf (BR 7.1.2.7.6); RFC 5280 recommends it. */
const EXPLAINED = new Set(['w_ext_subject_key_identifier_not_recommended_subscriber', ...explainedLints()]);

let cluster: Cluster;
let certcheck: Certcheck;
before(async () => {
  certcheck = await Certcheck.start();
  const signerFlags = [...SHARED, ...OF_THE_SIGNER, ...OF_THE_CERTIFICATE];
  cluster = await startCluster({ signerFlags, webhookFlags: SHARED });
  await cluster.createNamespace('sandbox');
});
after(async () => {
  await Promise.all([cluster?.stop(), certcheck?.stop()]);
});

/** Checks a certificate with all three tools. */
async function check({ chain }: Issued, roots: string): Promise<X509Certificate> {
  await checkWithAll(certcheck, { chain, roots, isCA: false, selfSigned: false, hasKeyID: true }, EXPLAINED);
  return new X509Certificate(chain);
}

async function permitToCreate(user: string): Promise<void> {
  const creator = ['--verb=create', '--resource=certificatesigningrequests'];
  await cluster.kubectl(['create', 'clusterrole', `creator-${user}`, ...creator]);
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    `creator-${user}`,
    `--clusterrole=creator-${user}`,
    `--user=${user}`,
  ]);
}

describe('policy beyond cert-manager', { concurrency: 4 }, () => {
  test('a certificate is backdated, limited to maxDuration, has a subjectKeyIdentifier, and its root in the chain', async () => {
    const pair = {
      certificate: readPki('certificates/intermediate1'),
      key: readPki('keys/rsa2048'),
      root: ROOT.certificate,
    };
    const signerName = await cluster.createCaIssuer({ namespace: 'sandbox', name: 'intermediate' }, pair);
    const issued = await issue(cluster, { name: 'demanding', signerName });
    const { validFromDate, validToDate } = await check(issued, ROOT.certificate);
    const age = Date.now() - validFromDate.getTime();
    assert.ok(age >= 300_000 && age < 315_000, `notBefore is ${age} ms ago`);
    assert.equal(validToDate.getTime() - validFromDate.getTime(), 720 * HOUR_MS + 300_000);
    const identifier = await openssl(['x509', '-in', 'pem', '-noout', '-ext', 'subjectKeyIdentifier'], {
      pem: issued.chain,
    });
    assert.match(identifier, /Subject Key Identifier: \n +([0-9A-F]{2}:){19}[0-9A-F]{2}\n/);
    const [, ...above] = splitPem(issued.chain).map(pem => new X509Certificate(pem).fingerprint256);
    assert.deepEqual(
      above,
      [pair.certificate, ROOT.certificate].map(pem => new X509Certificate(pem).fingerprint256),
    );
  });

  test('a certificate expires no later than its CA', async () => {
    const certificate = await createRoot(ROOT.key, 'ends tomorrow', '-days', '1');
    const signerName = await cluster.createCaIssuer(
      { namespace: 'sandbox', name: 'tomorrow' },
      { ...ROOT, certificate },
    );
    const leaf = await check(await issue(cluster, { name: 'clamped', signerName }), certificate);
    assert.equal(leaf.validTo, new X509Certificate(certificate).validTo);
  });

  test('a request waits with an event while the CA is expired, and is signed by the new one', async () => {
    const ended = { ...ROOT, certificate: await createExpiredRoot(ROOT.key, 'ended') };
    const place = { namespace: 'sandbox', name: 'ended' };
    const signerName = await cluster.createCaIssuer(place, ended);
    // Otherwise the request first waits for the issuer, with that event.
    await cluster.whenReady(place);
    const csr = await createThenApprove(cluster, { name: 'after-the-end', signerName });
    const [event = ''] = await cluster.eventsOf(csr, 1);
    assert.match(event, /^Warning SecretInvalidData: .* sandbox\/ended: the CA certificate expired at 20/);
    const data = secretData(ROOT);
    await cluster.api.patch('/api/v1/namespaces/sandbox/secrets/ended', { stringData: data });
    await check(await waitUntilIssued(cluster, 'after-the-end'), ROOT.certificate);
  });

  test('a request for more than the maximum duration is denied', async () => {
    const signerName = 'issuers.cert-manager.io/sandbox.any';
    const { status, body } = await tryCreateCsr(cluster, {
      name: 'long',
      signerName,
      annotations: { [DURATION]: '721h' },
    });
    const text = `metadata.annotations[${DURATION}]: CertificateSigningRequest maximum allowed duration is 720h0m0s, requested 721h0m0s (InvalidDuration)`;
    assert.deepEqual(
      [status, body.message],
      [422, `admission webhook "requests.countersign.io" denied the request: ${text}`],
    );
  });

  test('a user may use a ClusterIssuer once granted the role in the denial', async () => {
    const signerName = await cluster.createCaIssuer({ name: 'shared' }, ROOT);
    const input = { name: 'of-carla', signerName };
    await permitToCreate('carla');
    const as = { user: 'carla' };
    const refused = await cluster.eventually('carla may create', async () => {
      const answer = await tryCreateCsr(cluster, input, as);
      return answer.body.reason === 'DeniedReference' ? answer.body.message : undefined;
    });
    assert.match(
      refused,
      /Requester may not reference ClusterIssuer shared: user "carla" cannot reference resource "cluster/,
    );
    await cluster.kubectl(['apply', '-f', '-'], /^apiVersion: .*?\n(?=\n)/ms.exec(refused)?.[0]);
    const binding = /^kubectl (create clusterrolebinding .*)$/m.exec(refused)?.[1] ?? '';
    await cluster.kubectl(binding.split(' '));
    await cluster.eventually('carla may reference', async () => {
      const { status } = await tryCreateCsr(cluster, input, as);
      return status === 201 ? true : undefined;
    });
    await approve(cluster, input.name);
    await check(await waitUntilIssued(cluster, input.name), ROOT.certificate);
  });

  test('a permission revoked after creation is enforced at signing', async () => {
    const signerName = await cluster.createCaIssuer({ name: 'withdrawn' }, ROOT);
    const as = { user: 'walter' };
    await permitToCreate('walter');
    const role = ['--verb=reference', '--resource=clusterissuers.cert-manager.io', '--resource-name=withdrawn'];
    await cluster.kubectl(['create', 'clusterrole', 'withdrawn', ...role]);
    await cluster.kubectl(['create', 'clusterrolebinding', 'withdrawn', '--clusterrole=withdrawn', '--user=walter']);
    const answers = async (wanted: number, name: string) =>
      cluster.eventually(`${name}: ${wanted}`, async () => {
        const { status } = await tryCreateCsr(cluster, { name, signerName }, as);
        return status === wanted ? true : undefined;
      });
    await answers(201, 'walter-1');
    await cluster.kubectl(['delete', 'clusterrolebinding', 'withdrawn']);
    // Until the change takes effect, requests may still be admitted.
    let count = 1;
    await cluster.eventually('walter is refused', async () => {
      const { status } = await tryCreateCsr(cluster, { name: `walter-${++count}`, signerName }, as);
      return status === 403 ? true : undefined;
    });
    await approve(cluster, 'walter-1');
    const { reason, message } = failureOf(await waitUntilFailed(cluster, 'walter-1')) ?? {};
    assert.deepEqual([reason, message], ['DeniedReference', 'Requester may not reference ClusterIssuer withdrawn']);
  });
});
