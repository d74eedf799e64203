// `kubectl countersign request` against a fake API server that signs: the files that it leaves, in every outcome.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodePkcs10 } from '@countersign/cli/certificate/request-content.ts';
import type { Csr } from '@countersign/cli/cluster/csr.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { buildCertificate, createHolder } from '../../support/certificate-builder.ts';
import { FakeCluster, refusal, type Sent } from '../../support/cli/fake-cluster.ts';
import { buildCertificateOf } from '../../support/csr-builder.ts';
import { readPki, valueOf } from '../../support/pki.ts';
import { CSRS } from '../../support/requests.ts';
import { readRequest } from '../../support/vectors.ts';

let cluster: FakeCluster;
let dir = '';
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());
beforeEach(t => {
  cluster.reset();
  cluster.on(`POST ${CSRS}`, ({ body }) => ({ body: signed(body as Csr) }));
  dir = mkdtempSync(join(tmpdir(), 'countersign-request-'));
  const folder = dir;
  (t as { after(end: () => void): void }).after(() => rmSync(folder, { recursive: true }));
});

/** As the API server would return it once it is signed. */
function signed(csr: Csr): Csr {
  const ca = createHolder('ca');
  const { spki } = valueOf(parsePkcs10(csr.spec.request));
  const certificate = Buffer.from(buildCertificate(createHolder('leaf'), ca, { spki })).toString('base64');
  const annotations = { 'experimental.cert-manager.io/ca': Buffer.from('the CA').toString('base64') };
  const metadata = { ...csr.metadata, uid: 'uid', resourceVersion: '1', annotations };
  return { ...csr, metadata, status: { certificate, conditions: [{ type: 'Approved', status: 'True' }] } };
}

const ORDER = ['request', 'web', '--issuer', 'my-ca', '-n', 'sandbox', '--dns', 'web.example'];
const inDir = (...args: readonly string[]) => cluster.run([...ORDER, '--out', join(dir, 'web'), ...args]);
const created = () => cluster.sent.filter(({ call }) => call.startsWith('POST')).map(({ body }) => body as Csr);

describe('kubectl countersign request', () => {
  test('writes a key that only the user may read, the certificate and the CA', async () => {
    const { code, printed, complaints } = await inDir();
    assert.equal(code, 0, complaints());
    assert.equal(printed(), `${join(dir, 'web.crt')}\n${join(dir, 'web.ca.crt')}\n`);
    assert.equal(statSync(join(dir, 'web.key')).mode & 0o777, 0o600);
    const key = createPrivateKey(readFileSync(join(dir, 'web.key')));
    assert.ok(new X509Certificate(readFileSync(join(dir, 'web.crt'))).publicKey.equals(createPublicKey(key)));
    assert.equal(readFileSync(join(dir, 'web.ca.crt'), 'utf8'), 'the CA');
    assert.deepEqual(readdirSync(dir).toSorted(), ['web.ca.crt', 'web.crt', 'web.key']);
  });

  test('takes the signer name of an external issuer, and none of a signer of the cluster', async () => {
    const order = (name: string) => ['request', 'web', '--signer-name', name, '--dns', 'web.example'];
    const external = 'awspcaissuers.awspca.cert-manager.io/sandbox.my-pca';
    const { code, complaints } = await cluster.run([...order(external), '--out', join(dir, 'web')]);
    assert.equal(code, 0, complaints());
    assert.equal(created()[0]?.spec.signerName, external);
    const refused = await cluster.run([...order('kubernetes.io/kube-apiserver-client'), '--out', join(dir, 'x')]);
    assert.match(refused.complaints(), /is not the signer name of an issuer/);
    assert.equal(created().length, 1);
  });

  test('asks for the names, usages and duration of its flags', async () => {
    await inDir(
      '--ip',
      '192.0.2.1,2001:db8::1',
      '--uri',
      'spiffe://a/b',
      '--email',
      'a@b.example',
      '--subject',
      'CN=web,O=a\\,b',
      '--usage',
      'client auth',
      '--duration',
      '1h',
    );
    const [csr = assert.fail()] = created();
    const { subject, names, signature } = valueOf(decodePkcs10(csr));
    assert.deepEqual(
      [subject, signature, ...names.map(({ type, value }) => `${type} ${value}`)],
      [
        'CN=web,O=a\\,b',
        'valid',
        'DNS name web.example',
        'IP address 192.0.2.1',
        'IP address 2001:db8::1',
        'URI spiffe://a/b',
        'email address a@b.example',
      ],
    );
    assert.equal(csr.spec.signerName, 'issuers.cert-manager.io/sandbox.my-ca');
    assert.deepEqual(csr.spec.usages, ['client auth']);
    assert.deepEqual(csr.metadata.annotations, { 'experimental.cert-manager.io/request-duration': '1h' });
  });

  for (const [type, key, usages] of [
    ['ecdsa-p256', 'ECDSA P-256', ['digital signature', 'server auth']],
    ['ecdsa-p384', 'ECDSA P-384', ['digital signature', 'server auth']],
    ['rsa-2048', 'RSA 2048', ['digital signature', 'key encipherment', 'server auth']],
    ['ed25519', 'Ed25519', ['digital signature', 'server auth']],
  ] as const) {
    test(`makes a key of type ${type}`, async () => {
      assert.equal((await inDir('--key-type', type)).code, 0);
      const [csr = assert.fail()] = created();
      const content = valueOf(decodePkcs10(csr));
      assert.deepEqual([content.key, content.signature, csr.spec.usages], [key, 'valid', usages]);
    });
  }

  test('overwrites nothing without --force, and sends nothing', async () => {
    for (const file of ['web.key', 'web.crt', 'web.ca.crt']) {
      writeFileSync(join(dir, file), 'mine');
      const { code, complaints } = await inDir();
      assert.equal(code, 2);
      assert.match(complaints(), new RegExp(`${file} exists already`));
      assert.equal(readFileSync(join(dir, file), 'utf8'), 'mine');
      rmSync(join(dir, file));
    }
    assert.deepEqual(cluster.sent, []);
  });

  test('replaces files with --force, with the modes of new ones', async () => {
    writeFileSync(join(dir, 'web.key'), 'old', { mode: 0o644 });
    assert.equal((await inDir('--force')).code, 0);
    assert.match(readFileSync(join(dir, 'web.key'), 'utf8'), /BEGIN PRIVATE KEY/);
    assert.equal(statSync(join(dir, 'web.key')).mode & 0o777, 0o600);
  });

  test('leaves no new key, and keeps the old one, if the API server refuses the CSR', async () => {
    cluster.on(
      `POST ${CSRS}`,
      refusal(403, 'DeniedReference', 'admission webhook "requests.countersign.io" denied the request: no'),
    );
    const { code, complaints } = await inDir();
    assert.equal(code, 1);
    assert.match(complaints(), /refuses the CSR web: admission webhook/);
    assert.deepEqual(readdirSync(dir), []);
    writeFileSync(join(dir, 'web.key'), 'old');
    assert.equal((await inDir('--force')).code, 1);
    assert.equal(readFileSync(join(dir, 'web.key'), 'utf8'), 'old');
    assert.deepEqual(readdirSync(dir), ['web.key']);
  });

  test('keeps the key after a timeout', async () => {
    cluster.on(`POST ${CSRS}`, ({ body }) => ({ body: { ...(body as Csr), metadata: { name: 'web', uid: 'u' } } }));
    cluster.on(`GET ${CSRS}`, { events: [] });
    assert.equal((await inDir('--timeout', '50ms')).code, 4);
    assert.deepEqual(readdirSync(dir), ['web.key']);
  });

  test('writes no certificate of another key', async () => {
    cluster.on(`POST ${CSRS}`, ({ body }: Sent) => {
      const csr = signed(body as Csr);
      return { body: { ...csr, status: { ...csr.status, certificate: buildCertificateOf() } } };
    });
    const { code, complaints } = await inDir();
    assert.equal(code, 1);
    assert.match(complaints(), /has another public key\nNothing was written/);
    assert.deepEqual(readdirSync(dir), ['web.key']);
  });

  test('sends a request of another tool, and needs no key', async () => {
    const files = { 'web.csr': Buffer.from(readRequest('p256'), 'base64').toString() };
    const { code } = await cluster.run(
      ['request', 'web', '--issuer', 'x', '--csr', 'web.csr', '--out', join(dir, 'web')],
      { files },
    );
    assert.equal(code, 0);
    assert.equal(created()[0]?.spec.request, readRequest('p256'));
    assert.deepEqual(readdirSync(dir).toSorted(), ['web.ca.crt', 'web.crt']);
  });

  test('uses an existing key, and does not write it', async () => {
    const files = { 'my.key': readPki('keys/rsa2048') };
    const { code } = await cluster.run([...ORDER, '--key', 'my.key', '--out', join(dir, 'web')], { files });
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(dir).toSorted(), ['web.ca.crt', 'web.crt']);
  });

  test('writes and creates nothing in a dry run', async () => {
    const { code, printed } = await inDir('--dry-run');
    assert.equal(code, 0);
    assert.match(printed(), /web accepted \(dry run\)/);
    assert.deepEqual(
      cluster.sent.map(({ call }) => call),
      [`POST ${CSRS}?dryRun=All`],
    );
    assert.deepEqual(readdirSync(dir), []);
  });

  const mistakes = [
    [['request'], /takes one name/],
    [['request', '../web', '--issuer', 'x', '--dns', 'a'], /is not a valid name/],
    [['request', 'web', '--dns', 'a'], /give one of --issuer, --cluster-issuer and --signer-name/],
    [['request', 'web', '--issuer', 'x', '--cluster-issuer', 'y', '--dns', 'a'], /give one of/],
    [['request', 'web', '--signer-name', 'kubernetes.io/kubelet-serving', '--dns', 'a'], /is not the signer name/],
    [['request', 'web', '--issuer', 'x'], /the certificate would have no name/],
    [['request', 'web', '--issuer', 'x', '--ip', '300.0.0.1'], /"300\.0\.0\.1" is not an IP address/],
    [['request', 'web', '--issuer', 'x', '--ip', 'fe80::1%eth0'], /is not an IP address/],
    [['request', 'web', '--issuer', 'x', '--dns', 'b\u00fccher.example'], /encode it in Punycode/],
    [['request', 'web', '--issuer', 'x', '--subject', 'web'], /must be TYPE=VALUE/],
    [['request', 'web', '--issuer', 'x', '--dns', 'a', '--usage', 'all'], /unknown key usages: \[all\]/],
    [['request', 'web', '--issuer', 'x', '--dns', 'a', '--duration', '90d'], /unknown unit "d"/],
    [['request', 'web', '--issuer', 'x', '--dns', 'a', '--csr', 'f'], /--dns has no effect with --csr/],
    [['request', 'web', '--issuer', 'x', '--dns', 'a', '--key', 'bad'], /bad has no unencrypted private key/],
  ] as const;
  for (const [args, message] of mistakes) {
    test(`refuses ${args.join(' ')}`, async () => {
      const { code, complaints } = await cluster.run(args, { files: { bad: 'secret' } });
      assert.equal(code, 2);
      assert.match(complaints(), message);
      assert.doesNotMatch(complaints(), /secret/);
      assert.deepEqual(cluster.sent, []);
    });
  }
});
