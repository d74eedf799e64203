// Certificates issued on a real API server: each kind of CA key, chain, self-signing, duration, usage and name. Each is
// checked by openssl, Go and zlint, whose findings must all be explained in zlint-findings.yaml.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import * as x509 from '@peculiar/x509';
import {
  Certcheck,
  checkWithAll,
  createRequest,
  createRoot,
  explainedLints,
  openssl,
  splitPem,
} from '../support/certificate-checks.ts';
import { type Cluster, type KeyPairFiles, startCluster } from '../support/cluster.ts';
import { readPki, readPkiRequest } from '../support/pki.ts';
import { createThenApprove, type Issued, issue, waitUntilFailed, waitUntilIssued } from '../support/requests.ts';
import { readRequest } from '../support/vectors.ts';

const IS_CA = { 'experimental.cert-manager.io/request-is-ca': 'true' };
const DURATION = 'experimental.cert-manager.io/request-duration';
const KEY_SECRET = 'experimental.cert-manager.io/private-key-secret-name';
const SAN = '2.5.29.17';
const HOUR_MS = 3_600_000;

const EXPLAINED = new Set(explainedLints());

const certificate = (name: string) => readPki(`certificates/${name}`);
const key = (name: string) => readPki(`keys/${name}`);
const ROOT: KeyPairFiles = { certificate: certificate('root'), key: key('p256-root') };

let cluster: Cluster;
let certcheck: Certcheck;
/** The signer name of a ClusterIssuer with the CA `ROOT`, for cases that do not depend on the CA. */
let signerName: string;
const seenFindings = new Set<string>();

before(async () => {
  certcheck = await Certcheck.start();
  cluster = await startCluster();
  signerName = await cluster.createCaIssuer({ name: 'root' }, ROOT);
});
after(async () => {
  await Promise.all([cluster?.stop(), certcheck?.stop()]);
});

/** Checks a certificate with all three tools. */
async function check({ chain }: Issued, { roots = ROOT.certificate, isCA = false, selfSigned = false } = {}) {
  const input = { chain, roots: selfSigned ? '' : roots, isCA, selfSigned };
  for (const lint of await checkWithAll(certcheck, input, EXPLAINED)) seenFindings.add(lint);
  return { leaf: new X509Certificate(chain), parsed: new x509.X509Certificate(splitPem(chain)[0] ?? '') };
}

const extensionsText = (pem: string, names: string) =>
  openssl(['x509', '-in', 'pem', '-noout', '-ext', names], { pem });

function validityMs({ validFromDate, validToDate }: X509Certificate): number {
  return validToDate.getTime() - validFromDate.getTime();
}

/** The `ca` annotation, decoded. */
function caAnnotation({ csr }: Issued): string {
  const value = csr.metadata.annotations?.['experimental.cert-manager.io/ca'] ?? '';
  const pem = Buffer.from(value, 'base64');
  assert.equal(pem.toString('base64'), value, 'standard base64');
  return pem.toString();
}

describe('issuance', { concurrency: 6 }, () => {
  const signatures = {
    rsa2048: 'sha256WithRSAEncryption',
    'rsa2048-pkcs1': 'sha256WithRSAEncryption',
    rsa3072: 'sha384WithRSAEncryption',
    rsa4096: 'sha512WithRSAEncryption',
    p256: 'ecdsa-with-SHA256',
    p384: 'ecdsa-with-SHA384',
    'p384-sec1': 'ecdsa-with-SHA384',
    'p384-with-parameters': 'ecdsa-with-SHA384',
    p521: 'ecdsa-with-SHA512',
    ed25519: 'ED25519',
  };
  for (const [file, signature] of Object.entries(signatures)) {
    test(`a CA with the key ${file} signs with ${signature}`, async () => {
      const root = await createRoot(key(file), `CA ${file}`);
      const name = `key-${file}`;
      const issuer = await cluster.createCaIssuer({ name }, { certificate: root, key: key(file) });
      const issued = await issue(cluster, { name, signerName: issuer });
      const { leaf } = await check(issued, { roots: root });
      const text = await openssl(['x509', '-in', 'pem', '-noout', '-text'], { pem: issued.chain });
      assert.equal(/Signature Algorithm: (\S+)/.exec(text)?.[1], signature);
      assert.equal(leaf.subject, 'CN=example');
      assert.equal(leaf.issuer, `CN=CA ${file}`);
      assert.deepEqual(splitPem(issued.chain).length, 1);
      assert.equal(caAnnotation(issued), root);
    });
  }

  for (const file of ['rsa2048', 'p256', 'p384', 'p521', 'ed25519']) {
    test(`a request with the key ${file} is self-signed`, async () => {
      const name = `self-${file}`;
      const issuer = await cluster.createIssuer(
        { name },
        { selfSigned: { crlDistributionPoints: ['http://crl.example.com'] } },
      );
      await cluster.createSecret('countersign', name, { 'tls.key': key(file) });
      await cluster.whenReady({ name });
      const request = await createRequest(key(file), name);
      const annotations = { [KEY_SECRET]: name };
      await createThenApprove(cluster, { name, signerName: issuer, request, annotations });
      const issued = await waitUntilIssued(cluster, name);
      const { leaf } = await check(issued, { selfSigned: true });
      assert.equal(leaf.issuer, `CN=${name}`);
      assert.match(await extensionsText(issued.chain, 'crlDistributionPoints'), /URI:http:\/\/crl\.example\.com/);
      assert.equal(caAnnotation(issued), issued.chain);
      assert.deepEqual(await cluster.eventsOf(issued.csr, 2), [
        'Normal CertificateIssued: Certificate self-signed successfully',
        `Warning SelfSignedKey: ${reasons.SelfSignedKey.message(`countersign/${name}`)}`,
      ]);
    });
  }

  const [root, middle, lower] = ['root', 'intermediate1', 'intermediate2'].map(certificate);
  const chains = [
    { what: 'with the root in ca.crt', crt: `${lower}${middle}`, ca: root, above: [lower, middle], top: root },
    { what: 'with the root in tls.crt', crt: `${lower}${middle}${root}`, above: [lower, middle], top: root },
    { what: 'in any order', crt: `${lower}${root}${middle}`, above: [lower, middle], top: root },
    { what: 'without the root', crt: `${lower}${middle}`, above: [lower, middle], top: middle },
  ];
  for (const [index, { what, crt, ca, above, top }] of chains.entries()) {
    test(`a subordinate CA ${what} returns the chain from the leaf up without the root`, async () => {
      const name = `chain-${index}`;
      const pair = { certificate: crt, key: key('p384'), ...(ca !== undefined && { root: ca }) };
      const issued = await issue(cluster, { name, signerName: await cluster.createCaIssuer({ name }, pair) });
      await check(issued);
      assert.deepEqual(splitPem(issued.chain).slice(1), above);
      assert.equal(caAnnotation(issued), top);
    });
  }

  test('an issued CA certificate can sign others', async () => {
    const request = await createRequest(key('p521'), 'lower CA');
    const usages = ['cert sign', 'crl sign'];
    const lowerCa = await issue(cluster, { name: 'lower-ca', signerName, request, usages, annotations: IS_CA });
    const { leaf } = await check(lowerCa, { isCA: true });
    assert.equal(leaf.ca, true);
    const text = await extensionsText(lowerCa.chain, 'basicConstraints,keyUsage,subjectKeyIdentifier');
    assert.match(text, /Basic Constraints: critical\n +CA:TRUE\n/);
    assert.match(text, /Key Usage: critical\n +Certificate Sign, CRL Sign\n/);
    assert.match(text, /Subject Key Identifier/);

    const pair = { certificate: lowerCa.chain, key: key('p521'), root: caAnnotation(lowerCa) };
    const issuer = await cluster.createCaIssuer({ name: 'lower-ca' }, pair);
    const below = await issue(cluster, { name: 'below-lower-ca', signerName: issuer });
    await check(below);
    assert.equal(caAnnotation(below), ROOT.certificate);
  });

  const durations = [
    { name: 'default', want: 90 * 24 * HOUR_MS },
    { name: 'seconds', expirationSeconds: 7_200, want: 2 * HOUR_MS },
    { name: 'annotation', annotations: { [DURATION]: '1h' }, want: HOUR_MS },
    { name: 'both', annotations: { [DURATION]: '1h' }, expirationSeconds: 7_200, want: HOUR_MS },
    { name: 'minimum', annotations: { [DURATION]: '600s' }, want: 600_000 },
    // 100 years: beyond 2050, where UTCTime ends (RFC 5280 4.1.2.5).
    { name: 'century', annotations: { [DURATION]: '876000h' }, want: 876_000 * HOUR_MS },
  ];
  for (const { name, want, ...input } of durations) {
    test(`the duration case "${name}" is exact to the second`, async () => {
      const issued = await issue(cluster, { name: `duration-${name}`, signerName, ...input });
      const { leaf } = await check(issued);
      assert.equal(validityMs(leaf), want);
      const age = Date.now() - leaf.validFromDate.getTime();
      assert.ok(age >= 0 && age < 15_000, `notBefore is ${age} ms ago`);
    });
  }

  test('every usage that Kubernetes supports is in the certificate', async () => {
    const keyUsages = ['signing', 'digital signature', 'content commitment', 'key encipherment', 'key agreement'];
    const more = ['data encipherment', 'cert sign', 'crl sign', 'encipher only', 'decipher only'];
    const extended = ['any', 'server auth', 'client auth', 'code signing', 'email protection', 's/mime'];
    const rest = ['ipsec end system', 'ipsec tunnel', 'ipsec user', 'timestamping', 'ocsp signing'];
    const usages = [...keyUsages, ...more, ...extended, ...rest, 'microsoft sgc', 'netscape sgc'];
    const issued = await issue(cluster, { name: 'usages', signerName, usages });
    await check(issued);
    const text = await extensionsText(issued.chain, 'keyUsage,extendedKeyUsage');
    assert.match(text, /Key Usage: critical\n.*Digital Signature, Non Repudiation, .*, Encipher Only, Decipher Only\n/);
    assert.equal(/Extended Key Usage: \n(.*)/.exec(text)?.[1]?.split(',').length, 13);
  });

  test('names of every kind are copied byte for byte', async () => {
    const request = readRequest('names');
    const issued = await issue(cluster, { name: 'names', signerName, request });
    const { leaf, parsed } = await check(issued);
    const pkcs10 = new x509.Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString());
    const [wanted, found] = [pkcs10.getExtension(SAN), parsed.getExtension(SAN)];
    assert.ok(wanted && found);
    assert.deepEqual(Buffer.from(found.value), Buffer.from(wanted.value));
    assert.match(leaf.subjectAltName ?? '', /DNS:example\.com, IP Address:192\.0\.2\.1, .*othername:/);
    assert.equal(found.critical, false);
    assert.deepEqual(Buffer.from(parsed.publicKey.rawData), Buffer.from(pkcs10.publicKey.rawData));
  });

  test('the subject alternative name is critical without a subject', async () => {
    const issued = await issue(cluster, { name: 'no-subject', signerName, request: readRequest('no-subject') });
    const { parsed } = await check(issued);
    assert.deepEqual([parsed.subject, parsed.getExtension(SAN)?.critical], ['', true]);
  });

  test('name constraints of the request are copied', async () => {
    const request = readPkiRequest('name-constraints');
    const input = { name: 'constraints', signerName, request, usages: ['cert sign'], annotations: IS_CA };
    const issued = await issue(cluster, input);
    await check(issued, { isCA: true });
    const kinds = ['DNS:example.com', 'IP:192.0.2.0/255.255.255.0', 'email:example.com', 'URI:.example.com'];
    const text = await extensionsText(issued.chain, 'nameConstraints');
    const wanted = `X509v3 Name Constraints: critical Permitted: ${kinds.join(' ')} Excluded: DNS:secret.example.com`;
    assert.equal(text.replace(/\s+/g, ' ').trim(), wanted);
  });

  test('an unknown extended key usage is copied', async () => {
    const request = readRequest('unknown-ext-key-usage');
    const usages = ['digital signature', 'client auth'];
    const issued = await issue(cluster, { name: 'unknown-usage', signerName, request, usages });
    await check(issued);
    assert.match(
      await extensionsText(issued.chain, 'extendedKeyUsage'),
      /TLS Web Client Authentication, 1\.2\.3\.4\.5/,
    );
  });

  test('the URLs of the issuer are in the certificate', async () => {
    const urls = {
      crlDistributionPoints: ['http://crl.example.com/1', 'http://crl.example.com/2'],
      ocspServers: ['http://ocsp.example.com'],
      issuingCertificateURLs: ['http://ca.example.com'],
    };
    const issuer = await cluster.createCaIssuer({ name: 'urls' }, ROOT, urls);
    const issued = await issue(cluster, { name: 'urls', signerName: issuer });
    await check(issued);
    const text = await extensionsText(issued.chain, 'crlDistributionPoints,authorityInfoAccess');
    assert.match(text, /OCSP - URI:http:\/\/ocsp\.example\.com\n *CA Issuers - URI:http:\/\/ca\.example\.com/);
    assert.deepEqual([...text.matchAll(/crl\.example\.com\/\d/g)].length, 2);
  });

  test('an issued certificate causes one event and no condition but the approval', async () => {
    await cluster.createNamespace('told');
    const place = { namespace: 'told', name: 'my.dotted.issuer' };
    const issuer = await cluster.createCaIssuer(place, ROOT);
    assert.equal(await cluster.whenReady(place), 'True KeyPairVerified: Signing CA verified');
    await createThenApprove(cluster, { name: 'told', signerName: issuer });
    const issued = await waitUntilIssued(cluster, 'told');
    await check(issued);
    assert.deepEqual(
      issued.csr.status?.conditions?.map(({ type }) => type),
      ['Approved'],
    );
    assert.deepEqual(await cluster.eventsOf(issued.csr, 1), [
      'Normal CertificateIssued: Certificate fetched from issuer successfully',
    ]);
    assert.deepEqual(await cluster.eventsOf(await cluster.getIssuer(place), 1, 'told'), [
      'Normal KeyPairVerified: Signing CA verified',
    ]);
  });

  test('a request that cannot be signed is Failed, with the same reason in condition and event', async () => {
    const issuer = await cluster.createIssuer({ name: 'mismatch' }, { selfSigned: {} });
    await cluster.createSecret('countersign', 'mismatch', { 'tls.key': key('p384') });
    await cluster.whenReady({ name: 'mismatch' });
    const annotations = { [KEY_SECRET]: 'mismatch' };
    await createThenApprove(cluster, { name: 'mismatch', signerName: issuer, annotations });
    const csr = await waitUntilFailed(cluster, 'mismatch');
    const message = 'Referenced private key in Secret does not match that in the request';
    const recorded = csr.status?.conditions?.map(condition => [condition.type, condition.reason, condition.message]);
    assert.deepEqual(recorded, [
      ['Approved', 'Tested', 'by a test'],
      ['Failed', 'ErrorKeyMatch', message],
    ]);
    assert.equal(csr.status?.certificate, undefined);
    assert.deepEqual(await cluster.eventsOf(csr, 2), [
      `Warning ErrorKeyMatch: ${message}`,
      `Warning SelfSignedKey: ${reasons.SelfSignedKey.message('countersign/mismatch')}`,
    ]);
  });
});

test('every explained zlint finding occurs', () => {
  assert.deepEqual([...seenFindings].toSorted(), [...EXPLAINED].toSorted());
});
