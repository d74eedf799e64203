// CA certificates that OpenSSL accepts and a real API server rejects in status.certificate: the Issuer is not Ready,
// and requests wait until the Secret is fixed.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { encodeInteger, encodeOid, readChildren, readWhole, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION, PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { buildCertificate, type CertificateParts, createHolder, holderOfKey } from '../support/certificate-builder.ts';
import { type Cluster, type KeyPairFiles, secretData, startCluster } from '../support/cluster.ts';
import { readPki, valueOf } from '../support/pki.ts';
import { CSRS, createThenApprove, getCsr, waitUntilIssued } from '../support/requests.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

const GOOD = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const p256 = readPki('keys/p256');
const rsa = readPki('keys/rsa2048');
const extension = (oid: string, value: Buffer): CertificateParts => ({ extensions: [{ oid, critical: false, value }] });
const policy = sequence(encodeOid('1.2.3.4'));

/** The same key with another AlgorithmIdentifier. */
function withAlgorithm(keyPem: string, ...algorithm: readonly Buffer[]): Buffer {
  const spki = createPublicKey(keyPem).export({ format: 'der', type: 'spki' });
  const [, bits] = valueOf(readChildren(valueOf(readWhole(spki))));
  return sequence(sequence(...algorithm), bits?.bytes ?? Buffer.alloc(0));
}

const withoutNull = withAlgorithm(rsa, encodeOid(PUBLIC_KEY.rsa));
/** The parameters of a curve, of which only the version is here, in place of its name. */
const withExplicitCurve = withAlgorithm(p256, encodeOid(PUBLIC_KEY.ec), sequence(encodeInteger(Buffer.of(1))));

const single = (key: string, parts: CertificateParts): KeyPairFiles => ({
  certificate: buildCertificate(holderOfKey('CA', key), undefined, parts),
  key,
});

/** A valid CA below an intermediate with one policy twice. */
function belowInvalid(): KeyPairFiles {
  const [root, above] = [createHolder('root'), createHolder('above')];
  const invalid = buildCertificate(above, root, extension(EXTENSION.certificatePolicies, sequence(policy, policy)));
  return { certificate: buildCertificate(holderOfKey('CA', p256), above) + invalid, key: p256 };
}

const SAMPLES: readonly (readonly [what: string, pair: KeyPairFiles, fault: RegExp])[] = [
  [
    'relative-point',
    single(p256, extension(EXTENSION.crlDistributionPoints, sequence(sequence(tlv(0xa0, tlv(0xa1, sequence())))))),
    /x509: invalid CRL distribution point/,
  ],
  [
    'policy-twice',
    single(p256, extension(EXTENSION.certificatePolicies, sequence(policy, policy))),
    /certificate policies/,
  ],
  [
    'malformed-aia',
    single(p256, extension(EXTENSION.authorityInfoAccess, sequence(policy, sequence()))),
    /authority info access/,
  ],
  [
    'malformed-aki',
    single(p256, extension(EXTENSION.authorityKeyIdentifier, tlv(TAG.sequence, Buffer.of(0x80, 9, 1)))),
    /authority key identifier/,
  ],
  ['malformed-eku', single(p256, extension(EXTENSION.extKeyUsage, sequence(sequence()))), /extended key usages/],
  ['compressed-point', single(readPki('keys/p256-compressed'), {}), /not an uncompressed point/],
  ['explicit-curve', single(p256, { spki: withExplicitCurve }), /not an uncompressed point on a named curve/],
  ['rsa-without-null', single(rsa, { spki: withoutNull }), /missing NULL/],
  ['end-with-offset', single(p256, { ends: '460101000000+0000' }), /malformed validity/],
  ['invalid-above', belowInvalid(), /certificate policies/],
];

const SIGNER = {
  user: 'system:serviceaccount:countersign:countersign-signer',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:countersign'],
};

/** Returns the API server's answer to a dry run of a certificate in a CSR's status. */
async function tryInStatus(csrName: string, certificate: string): Promise<number> {
  const body = { status: { certificate: Buffer.from(certificate).toString('base64') } };
  const call = { method: 'PATCH', path: `${CSRS}/${csrName}/status?dryRun=All`, body, as: SIGNER } as const;
  return (await cluster.api.call(call)).status;
}

describe('a CA certificate that the API server rejects', { concurrency: 4 }, () => {
  for (const [name, pair, fault] of SAMPLES) {
    test(`an invalid CA certificate (${name}) makes the Issuer not Ready and requests wait until it is fixed`, async () => {
      const place = { namespace: await cluster.createNamespace(name), name: 'ca' };
      const signerName = await cluster.createCaIssuer(place, pair);
      await createThenApprove(cluster, { name, signerName });
      assert.equal(await tryInStatus(name, pair.certificate), 422);
      assert.equal(await tryInStatus(name, GOOD.certificate), 200);
      const readiness = await cluster.eventually('a Ready condition', () => cluster.readinessOf(place));
      assert.match(readiness, /^False ErrGetKeyPair: /);
      assert.match(readiness, fault);
      const waiting = await getCsr(cluster, name);
      assert.deepEqual(
        waiting.status?.conditions?.map(({ type }) => type),
        ['Approved'],
      );
      assert.equal(waiting.status?.certificate, undefined);
      await cluster.api.patch(`/api/v1/namespaces/${name}/secrets/ca`, { stringData: secretData(GOOD) });
      await waitUntilIssued(cluster, name);
    });
  }
});
