// Name-constrained CAs on a real API server: names that the CA may not sign are denied on create, or by the signer if
// the webhook did not see the request; others are signed and accepted by openssl, Go and zlint.

import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Refusal } from '../support/api.ts';
import { buildCertificate, holderOfKey } from '../support/certificate-builder.ts';
import {
  Certcheck,
  checkWithAll,
  createRequest,
  createRoot,
  explainedLints,
  openssl,
} from '../support/certificate-checks.ts';
import { type Cluster, type KeyPairFiles, secretData, startCluster } from '../support/cluster.ts';
import { constraintsExtension } from '../support/name-constraints.ts';
import {
  approve,
  CSRS,
  type CsrObject,
  csrManifest,
  failureOf,
  issue,
  tryCreateCsr,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';

const EXPLAINED = new Set(explainedLints());
const CONSTRAINTS = '/api/v1/namespaces/countersign/configmaps/countersign-name-constraints';
/** CSRs with this label bypass the webhook. */
const LABEL = 'test.example/unseen';
const UNSEEN = { webhook: { objectSelector: { matchExpressions: [{ key: LABEL, operator: 'DoesNotExist' }] } } };
const CONSTRAINED = ['-addext', 'nameConstraints=critical,permitted;DNS:example.com,excluded;DNS:secret.example.com'];

function createKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' });
}

const [ROOT_KEY, SUB_KEY, LEAF_KEY] = [createKey(), createKey(), createKey()] as const;

let cluster: Cluster;
let certcheck: Certcheck;
let root: KeyPairFiles;
/** By issuer name. */
const signerNames = new Map<string, string>();

before(async () => {
  certcheck = await Certcheck.start();
  cluster = await startCluster({ values: UNSEEN });
  await cluster.createNamespace('sandbox');
  root = { certificate: await createRoot(ROOT_KEY, 'root', ...CONSTRAINED), key: ROOT_KEY };
  const above = buildCertificate(holderOfKey('above', ROOT_KEY), holderOfKey('above', ROOT_KEY), {
    extensions: [constraintsExtension({ permitted: ['DNS:example.com'] })],
  });
  const sub = buildCertificate(holderOfKey('sub', SUB_KEY), holderOfKey('above', ROOT_KEY));
  await createIssuer('root', root);
  await createIssuer('replaced', root);
  await createIssuer('below', { certificate: sub, key: SUB_KEY, root: above });
  await cluster.eventually('the constraints of all three are published', async () => {
    const { data } = await cluster.api.get<{ data?: Record<string, string> }>(CONSTRAINTS);
    const names = Object.keys(JSON.parse(data?.['issuers.json'] || '{}') as object);
    return names.length === 3 ? names : undefined;
  });
});
after(async () => {
  await Promise.all([cluster?.stop(), certcheck?.stop()]);
});

async function createIssuer(name: string, pair: KeyPairFiles): Promise<void> {
  signerNames.set(name, await cluster.createCaIssuer({ namespace: 'sandbox', name }, pair));
}

async function inputFor(name: string, issuer: string, dnsName: string) {
  const request = await createRequest(LEAF_KEY, 'leaf', '-addext', `subjectAltName=DNS:${dnsName}`);
  return { name, signerName: signerNames.get(issuer) ?? '', request };
}

/** Waits until the webhook has the constraints and denies the request, and returns the denial's text. */
async function whenRefused(name: string, issuer: string, dnsName: string): Promise<string> {
  const input = await inputFor(name, issuer, dnsName);
  return cluster.eventually(`${name} is denied`, async () => {
    const answer = await tryCreateCsr(cluster, input);
    if (answer.status === 422) return (answer.body as Refusal).message;
    await cluster.api.remove(`${CSRS}/${name}`);
    return undefined;
  });
}

/** Creates a request that bypasses the webhook, and approves it. */
async function createUnseen(name: string, issuer: string, dnsName: string): Promise<CsrObject> {
  const manifest = csrManifest(await inputFor(name, issuer, dnsName));
  const body = { ...manifest, metadata: { ...manifest.metadata, labels: { [LABEL]: 'true' } } };
  const csr = await cluster.api.create<CsrObject>(CSRS, body);
  await approve(cluster, name);
  return csr;
}

const refused = (ca: string, what: string) =>
  `admission webhook "requests.countersign.io" denied the request: spec.request: The name constraints of the CA "CN=${ca}" ${what}; request another name or use another issuer (NameConstraintViolation)`;

describe('an issuer whose CA has name constraints', () => {
  test('names that are not permitted, or are excluded, are denied on create', async () => {
    assert.equal(
      await whenRefused('not-permitted', 'root', 'www.example.org'),
      refused('root', 'do not permit the DNS name "www.example.org"; permitted: "example.com"'),
    );
    assert.equal(
      await whenRefused('excluded', 'root', 'a.secret.example.com'),
      refused('root', 'exclude the DNS name "a.secret.example.com"; excluded: "secret.example.com"'),
    );
  });

  test('names that a CA above the signing one may not sign are denied', async () => {
    assert.equal(
      await whenRefused('not-permitted-above', 'below', 'www.example.org'),
      refused('above', 'do not permit the DNS name "www.example.org"; permitted: "example.com"'),
    );
  });

  test('a request that bypassed the webhook fails with an event', async () => {
    const csr = await createUnseen('unseen', 'root', 'www.example.org');
    const { reason, message } = failureOf(await waitUntilFailed(cluster, 'unseen')) ?? {};
    const text =
      'The name constraints of the CA "CN=root" do not permit the DNS name "www.example.org"; permitted: "example.com"; request another name or use another issuer';
    assert.deepEqual([reason, message], ['NameConstraintViolation', text]);
    assert.ok((await cluster.eventsOf(csr, 1)).includes(`Warning NameConstraintViolation: ${text}`));
  });

  for (const issuer of ['root', 'below']) {
    test(`permitted names are signed, and every verifier accepts the certificate: ${issuer}`, async () => {
      const input = await inputFor(`permitted-${issuer}`, issuer, 'www.example.com');
      const { chain } = await issue(cluster, input);
      const { data } = await cluster.api.get<{ data: Record<string, string> }>(
        `/api/v1/namespaces/sandbox/secrets/${issuer}`,
      );
      const roots = Buffer.from(data[issuer === 'below' ? 'ca.crt' : 'tls.crt'] ?? '', 'base64').toString();
      await checkWithAll(certcheck, { chain, roots, isCA: false, selfSigned: false }, EXPLAINED);
      assert.equal(new X509Certificate(chain).subjectAltName, 'DNS:www.example.com');
    });
  }

  test('the constraints of a new CA apply within seconds', async () => {
    const next = await createRoot(ROOT_KEY, 'next', '-addext', 'nameConstraints=critical,permitted;DNS:example.org');
    await whenRefused('before', 'replaced', 'www.example.org');
    const data = secretData({ certificate: next, key: ROOT_KEY });
    await cluster.api.patch('/api/v1/namespaces/sandbox/secrets/replaced', { stringData: data });
    const input = await inputFor('after', 'replaced', 'www.example.org');
    await cluster.eventually('the webhook knows the next CA', async () => {
      const { status } = await tryCreateCsr(cluster, input);
      return status === 201 ? true : undefined;
    });
    await approve(cluster, 'after');
    await waitUntilIssued(cluster, 'after');
  });

  test('any name is signed with policy.honourNameConstraints off, and openssl rejects the certificate', async () => {
    for (const { child } of cluster.installation.running('signer')) await child.stop(10_000);
    await cluster.installation.start('signer', ['--honour-name-constraints=false']);
    await createUnseen('opted-out', 'root', 'www.example.org');
    const { chain } = await waitUntilIssued(cluster, 'opted-out', 20_000);
    await assert.rejects(
      openssl(['verify', '-CAfile', 'roots', 'leaf'], { roots: root.certificate, leaf: chain }),
      /permitted subtree violation/,
    );
  });
});
