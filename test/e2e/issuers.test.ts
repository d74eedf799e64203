// One CSR for each type of issuer, through the installed chart on a real node: cert-manager runs in pods; OpenBao,
// Pebble, the TPP emulator and the controller of an external issuer run beside them. Requester and approver use only
// kubectl.

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { ACME_DNS_SECRET, TPP_SECRET } from '../support/issuers/issuer-specs.ts';
import { THING } from '../support/issuers/thing-issuer.ts';
import { csrManifest } from '../support/requests.ts';
import { IssuerScene } from './issuer-scene.ts';
import { ACME_DOMAIN, VAULT_SECRET } from './issuer-servers.ts';
import { requirement, requirePrograms } from './requirements.ts';
import { CHART, NAMESPACE, SIGNER_NAME } from './test-cluster.ts';

const image = { pullPolicy: 'Never' };
const THING_TYPE = `${THING.plural}.${THING.group}`;
const jane = [{ kind: 'User', name: 'jane' }];
function valuesFor(vaultUrl: string): object {
  const { hostname, port } = new URL(vaultUrl);
  return {
    // The cert-manager of these tests holds no Lease, by which the signer would detect it.
    signer: { image, issuerStatus: 'never' },
    webhook: { image },
    delegation: { enabled: true, externalIssuers: [{ name: THING_TYPE, kind: THING.kind, scope: 'Namespaced' }] },
    policy: { vaultServers: [hostname] },
    networkPolicy: { enabled: true, vault: { ports: [Number(port)], to: [{ ipBlock: { cidr: `${hostname}/32` } }] } },
    referencers: [
      ...['my-issuer', 'self-signed', 'vault', 'tpp'].map(issuer => ({ namespace: 'sandbox', issuer, subjects: jane })),
      { type: THING_TYPE, namespace: 'sandbox', issuer: 'thing', subjects: jane },
    ],
  };
}

interface Case {
  readonly type: string;
  readonly name: string;
  readonly signerName: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Whether cert-manager issues, for a CertificateRequest of the signer. */
  readonly isDelegated?: boolean;
  /** The issuer and what it needs. The key of the request is in `<name>.key`. */
  readonly prepare: (scene: IssuerScene) => Promise<void>;
  /** The CA that verifies the chain. */
  readonly rootOf: (scene: IssuerScene, chainPem: string) => string | Promise<string>;
}

const SELF_KEY = { 'experimental.cert-manager.io/private-key-secret-name': 'self-key' };

const CASES: readonly Case[] = [
  {
    type: 'CA',
    name: 'ca',
    signerName: SIGNER_NAME,
    prepare: async () => undefined,
    rootOf: ({ scene }) => readFile(scene.path('ca.crt'), 'utf8'),
  },
  {
    type: 'SelfSigned',
    name: 'self',
    signerName: 'issuers.cert-manager.io/sandbox.self-signed',
    annotations: SELF_KEY,
    prepare: async ({ scene }) => {
      const file = `--from-file=tls.key=${scene.path('self.key')}`;
      await scene.kubectl(['create', 'secret', 'generic', 'self-key', '-n', 'sandbox', file]);
    },
    rootOf: (_, chainPem) => chainPem,
  },
  {
    type: 'Vault',
    name: 'vault',
    signerName: 'issuers.cert-manager.io/sandbox.vault',
    prepare: async each => {
      const { spec, secret } = each.servers.vault;
      await each.createSecret('sandbox', VAULT_SECRET, secret);
      await each.scene.createIssuer('vault', spec);
    },
    rootOf: ({ servers }) => servers.vault.rootPem,
  },
  {
    type: 'ACME',
    name: ACME_DOMAIN.replace('.example.com', ''),
    signerName: 'clusterissuers.cert-manager.io/acme',
    isDelegated: true,
    prepare: async each => {
      const { spec, secret } = each.servers.acme;
      await each.createSecret(NAMESPACE, ACME_DNS_SECRET, secret);
      await each.createClusterIssuer('acme', spec);
    },
    rootOf: ({ servers }) => servers.acme.rootPem,
  },
  {
    type: 'Venafi',
    name: 'venafi',
    signerName: 'issuers.cert-manager.io/sandbox.tpp',
    isDelegated: true,
    prepare: async each => {
      const { spec, secret } = each.servers.venafi;
      await each.createSecret('sandbox', TPP_SECRET, secret);
      await each.scene.createIssuer('tpp', spec);
    },
    rootOf: ({ servers }) => servers.venafi.rootPem,
  },
  {
    type: 'external',
    name: 'thing',
    signerName: `${THING_TYPE}/sandbox.thing`,
    isDelegated: true,
    prepare: each => each.startThing('thing'),
    rootOf: ({ thingRoot }) => thingRoot,
  },
];

describe('every type of issuer on a real node', requirement, () => {
  let each: IssuerScene;
  before(async () => {
    each = await IssuerScene.open(requirePrograms());
    const { scene } = each;
    for (const name of ['sandbox', NAMESPACE]) await scene.kubectl(['create', 'namespace', name]);
    await scene.kubectl(['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted']);
    const values = await scene.writeValues('values.yaml', valuesFor(each.servers.vaultUrl));
    await scene.helm('install', 'countersign', CHART, '--values', values, '--wait', '--timeout', '120s');
    await scene.furnish();
  });
  after(() => each?.close());

  for (const { type, name, signerName, annotations = {}, isDelegated = false, prepare, rootOf } of CASES) {
    test(`a CSR for an issuer of the type ${type} gets a certificate that openssl verifies`, async () => {
      const { scene } = each;
      const request = await scene.makeRequest(name);
      await prepare(each);
      const csr = csrManifest({ name, signerName, annotations, request });
      const created = await scene.tryKubectl('jane', ['create', '-f', '-'], csr);
      assert.equal(created.code, 0, created.stderr);
      await scene.kubectl(['certificate', 'approve', name]);
      const leaf = await each.verify(name, chainPem => rootOf(each, chainPem));
      assert.equal(leaf.subjectAltName, `DNS:${name}.example.com`);
      assert.ok(leaf.checkPrivateKey(createPrivateKey(await readFile(scene.path(`${name}.key`)))));
      assert.equal(await creatorsOf(name), isDelegated ? 'system:serviceaccount:countersign:countersign-signer' : '');
    });
  }

  test('the signer counts certificates by type of issuer', async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/services/countersign-signer:http/proxy/metrics`;
    const issued = /^countersign_certificates_total\{issuer_type="(\w+)",result="issued".*\} [1-9]/gm;
    const types = new Set<string>();
    // The Service picks a replica at random, and only the leader has issued certificates.
    const look = async () => {
      const text = await each.scene.kubectl(['get', '--raw', path]);
      for (const [, type = ''] of text.matchAll(issued)) types.add(type);
      return types.size < CASES.length ? undefined : true;
    };
    await each.scene.node.eventually('every type is counted', look, 60_000).catch(() => undefined);
    assert.deepEqual(types, new Set(['ca', 'selfSigned', 'vault', 'acme', 'venafi', 'external']));
  });

  /** The users who created the CertificateRequests for a CSR. */
  function creatorsOf(csr: string): Promise<string> {
    const owned = `{.items[?(@.metadata.ownerReferences[0].name=="${csr}")].spec.username}`;
    return each.scene.kubectl(['get', 'certificaterequests', '-A', '-o', `jsonpath=${owned}`]);
  }
});
