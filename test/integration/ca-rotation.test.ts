// docs/ca-rotation.md and docs/trust-bundles.md on a real API server: their commands are run as they stand there,
// in order.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRequest, createRoot, openssl } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { paste, readBlock } from '../support/pasted-commands.ts';
import { readPki } from '../support/pki.ts';
import { issue, LEAF_USAGES } from '../support/requests.ts';
import { fingerprintOf } from '../support/trust-anchors.ts';

const readPage = (name: string) => readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const [ROTATION, BUNDLES] = await Promise.all([readPage('ca-rotation'), readPage('trust-bundles')]);
const NAME = 'issuers.cert-manager.io:sandbox.my-ca:anchors';
const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.my-ca';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ signerFlags: ['--issuer-status=always'] });
  await cluster.createNamespace('sandbox');
  const key = readPki('keys/p256-root');
  const pair = { certificate: await createRoot(key, 'old'), key };
  await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-ca' }, pair);
  await cluster.whenReady({ namespace: 'sandbox', name: 'my-ca' });
});
after(() => cluster?.stop());

const run = (page: string, heading: string, nth = 0) =>
  paste(cluster.controlPlane, readBlock(page, heading, 'sh', nth));
const read = (name: string) => readFile(join(cluster.controlPlane.dir, name), 'utf8');

let requests = 0;
/** What the signer sees of a Secret may be a second old; a request has it look at the issuer at once. */
async function leaf(): Promise<string> {
  await sleep(1_100);
  const name = `leaf-${requests++}`;
  const request = await createRequest(readPki('keys/p384'), name);
  return (await issue(cluster, { name, signerName: SIGNER_NAME, request, usages: LEAF_USAGES })).chain;
}

async function bundle(): Promise<string> {
  const path = `/apis/certificates.k8s.io/v1/clustertrustbundles/${NAME}`;
  const { spec } = await cluster.api.get<{ spec: { trustBundle: string } }>(path);
  return spec.trustBundle;
}

describe('docs/ca-rotation.md', () => {
  let [old, next] = ['', ''];
  const leaves: string[] = [];

  test('announces the next root, which is then in the bundle', async () => {
    leaves.push(await leaf());
    await run(ROTATION, 'Before you begin');
    [old, next] = await Promise.all([read('old.crt'), read('next.crt')]);
    await run(ROTATION, 'Announce');
    leaves.push(await leaf());
    assert.equal(await bundle(), old + next);
    const shown = await run(ROTATION, 'Announce', 1);
    assert.match(shown, /Subject: CN ?= ?old\n.*Subject: CN ?= ?my-ca 2027\n/s);
  });

  test('switches to the next root, and keeps the old one for what was signed under it', async () => {
    await run(ROTATION, 'Switch');
    leaves.push(await leaf());
    assert.equal(await bundle(), next + old);
    await run(ROTATION, 'Switch', 1);
    leaves.push(await leaf());
    const files = { roots: await bundle() };
    assert.equal(files.roots, next + old);
    for (const each of leaves) {
      assert.match(await openssl(['verify', '-CAfile', 'roots', 'leaf'], { ...files, leaf: each }), /leaf: OK/);
    }
  });

  test('docs/ca-rotation.md shows the fingerprint of the retired root as openssl does', async () => {
    const [retired = '', fingerprint = ''] = (await run(ROTATION, 'Watch')).split('}');
    assert.equal(retired.split('"')[1], fingerprintOf(old));
    assert.match(fingerprint, new RegExp(`=${fingerprintOf(old)}\n$`));
  });

  test('docs/ca-rotation.md asks for the event that ends a rotation', async () => {
    assert.doesNotMatch(await run(ROTATION, 'Drop'), /OldCaExpired/);
  });

  test('distrusts a compromised CA within seconds', async () => {
    await run(ROTATION, 'If the CA is compromised');
    const isNew = async () => {
      const found = await bundle().catch(() => undefined);
      return found === next ? true : undefined;
    };
    await cluster.eventually('the bundle without the old root', isNew, 3_000);
  });
});

describe('docs/trust-bundles.md', () => {
  test('docs/trust-bundles.md has a pod that the API server accepts', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await cluster.api.create('/api/v1/namespaces/sandbox/serviceaccounts', account);
    await cluster.createReferencerRole('sandbox', 'referencer', 'my-ca');
    const subject = '--serviceaccount=sandbox:default';
    await cluster.kubectl(['create', 'rolebinding', 'web', '-n', 'sandbox', '--role=referencer', subject]);
    const pod = readBlock(BUNDLES, 'In a pod', 'yaml');
    assert.match(await cluster.kubectl(['apply', '-f', '-', '--dry-run=server'], pod), /pod\/web created/);
  });

  test('docs/trust-bundles.md shows the bundle, which its commands then annotate and delete', async () => {
    assert.match(await run(BUNDLES, 'What is published'), new RegExp(`${NAME} .*name: ${NAME}`, 's'));
    await run(BUNDLES, 'Who can read it');
    assert.match(await run(BUNDLES, 'Who can read it', 1), new RegExp(`"${NAME}" deleted`));
  });
});
