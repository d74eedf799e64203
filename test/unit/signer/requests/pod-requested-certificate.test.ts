// What a PodCertificateRequest asks for, and the certificate that it gets.

import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { HOUR } from '@countersign/common/duration.ts';
import { COMMON_NAME, DNS_NAMES } from '@countersign/common/pods/pod-annotations.ts';
import { readPodTerms, USAGES } from '@countersign/common/pods/pod-terms.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';
import {
  DEFAULT_POD_POLICY,
  MAX_POD_BACKDATE_MS,
  toPodRequestedCertificate,
} from '@countersign/signer/requests/pod-certificate/pod-requested-certificate.ts';
import { errorOf, readPki, valueOf } from '../../../support/pki.ts';
import { issueToPod, type PodIssuance, TERMS } from '../../../support/pod-issuance.ts';
import { buildPodRequest, buildStub, type PodRequestOrder } from '../../../support/pod-request-builder.ts';

const NOW = new Date('2026-11-24T12:00:00.789Z');
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const requestedOf = (order: PodRequestOrder = {}, terms = TERMS, policy = DEFAULT_POD_POLICY) =>
  toPodRequestedCertificate(buildPodRequest(order), terms, policy);

const issue = (order: PodRequestOrder = {}, rest: Partial<PodIssuance> = {}) =>
  issueToPod({ request: buildPodRequest(order), now: NOW, ...rest });

function namesOf(subjectAltName: Buffer | undefined): readonly string[] {
  const names = valueOf(readGeneralNames(subjectAltName ?? Buffer.alloc(0)));
  const kinds: Record<number, string> = {
    [GENERAL_NAME.dnsName]: 'DNS',
    [GENERAL_NAME.uniformResourceIdentifier]: 'URI',
  };
  return names.map(({ tag, value }) => `${kinds[tag]}:${value.toString()}`);
}

describe('toPodRequestedCertificate', () => {
  it('a pod without annotations gets its SPIFFE ID and no other name', () => {
    const requested = valueOf(requestedOf());
    assert.equal(requested.subject.toString('hex'), '3000');
    assert.equal(requested.hasEmptySubject, true);
    assert.deepEqual(namesOf(requested.subjectAltName), ['URI:spiffe://cluster.local/ns/team/sa/web']);
  });

  it('the DNS names follow the SPIFFE ID, in the order in which they were asked for', () => {
    const annotations = { [DNS_NAMES]: 'web.team.svc, $POD_NAME.web.team.svc, a.team.svc, web.team.svc' };
    assert.deepEqual(namesOf(valueOf(requestedOf({ annotations })).subjectAltName), [
      'URI:spiffe://cluster.local/ns/team/sa/web',
      'DNS:web.team.svc',
      'DNS:web-0.web.team.svc',
      'DNS:a.team.svc',
    ]);
  });

  it('the trust domain and the usages are those of the terms', () => {
    const terms = valueOf(readPodTerms({ [USAGES]: 'server auth' }, { trustDomain: 'prod', clusterDomain: 'x' }));
    const requested = valueOf(requestedOf({}, terms));
    assert.deepEqual(namesOf(requested.subjectAltName), ['URI:spiffe://prod/ns/team/sa/web']);
    assert.deepEqual(requested.usages, { keyUsage: 1, extKeyUsages: [SERVER_AUTH] });
  });

  it('key, proof, uid and requester are those of the request', () => {
    const { publicKey, proof, uid, requester, isCa } = valueOf(requestedOf({ uid: 'u' }));
    assert.ok(publicKey.equals(proof.spki));
    assert.deepEqual([uid, requester, isCa], ['u', 'system:serviceaccount:team:web', false]);
  });

  it('a request that is denied has no certificate, nor has one whose names are not allowed', () => {
    assert.equal(errorOf(requestedOf({ annotations: { x: '' } }))?.kind, 'deny');
    assert.equal(errorOf(requestedOf({ annotations: { [DNS_NAMES]: 'example.org' } }))?.reason, 'NameNotAllowed');
  });

  it('the lifetime is what was asked for, or what the operator allows at most, less the backdate', () => {
    const lifetime = (order: PodRequestOrder, maxDuration?: bigint) =>
      valueOf(requestedOf(order, TERMS, { maxDuration, backdateMs: 60_000 })).lifetimeMs;
    assert.equal(lifetime({ maxExpirationSeconds: 3_600 }), 3_540_000);
    assert.equal(lifetime({ maxExpirationSeconds: 7_862_400 }), 7_862_340_000);
    assert.equal(lifetime({ maxExpirationSeconds: 7_862_400 }, 2n * HOUR), 7_140_000);
  });

  it('the backdate is at most four minutes, whatever the operator says', () => {
    const { validityRules } = valueOf(requestedOf({}, TERMS, { maxDuration: undefined, backdateMs: 86_400_000 }));
    assert.equal(validityRules?.backdateMs, MAX_POD_BACKDATE_MS);
  });
});

describe('the certificate of a pod', () => {
  it('the certificate of a pod has an empty subject, critical names, one key usage, both extended ones, and is not of a CA', async () => {
    const { profile, chainPem } = await issue();
    const { keyUsage, extKeyUsages, isCa, hasKeyIdentifier } = profile;
    assert.deepEqual([keyUsage, extKeyUsages, isCa, hasKeyIdentifier], [1, [SERVER_AUTH, CLIENT_AUTH], false, false]);
    const leaf = new X509Certificate(chainPem);
    assert.deepEqual([leaf.subject, leaf.ca], ['', false]);
    assert.equal(leaf.subjectAltName, 'URI:spiffe://cluster.local/ns/team/sa/web');
    // id-ce-subjectAltName, critical TRUE.
    assert.ok(leaf.raw.includes(Buffer.from('0603551d110101ff', 'hex')));
  });

  it('a certificate with a common name has names that are not critical', async () => {
    const annotations = { [DNS_NAMES]: 'web.team.svc', [COMMON_NAME]: 'web.team.svc' };
    const leaf = new X509Certificate((await issue({ annotations })).chainPem);
    assert.equal(leaf.subject, 'CN=web.team.svc');
    assert.equal(leaf.subjectAltName, 'URI:spiffe://cluster.local/ns/team/sa/web, DNS:web.team.svc');
    assert.ok(!leaf.raw.includes(Buffer.from('0603551d110101ff', 'hex')));
  });

  it('the certificate has the key of the stub, of every type that kubelet makes', async () => {
    for (const name of ['p256', 'p384', 'p521', 'ed25519', 'rsa3072', 'rsa4096']) {
      const key = readPki(`keys/${name}`);
      const { chainPem } = await issue({ stub: buildStub(key) });
      assert.ok(new X509Certificate(chainPem).publicKey.equals(createPublicKey(key)), name);
    }
  });

  it('the certificate begins a minute before the signature and lasts exactly as long as was asked for', async () => {
    const { profile } = await issue({ maxExpirationSeconds: 3_600 });
    assert.equal(profile.notBefore.toISOString(), '2026-11-24T11:59:00.000Z');
    assert.equal(profile.notAfter.toISOString(), '2026-11-24T12:59:00.000Z');
  });

  it('the policy on CSRs does not change the validity of the certificate', async () => {
    const policy = { backdate: 86_400_000, clampToCa: false, maxDuration: HOUR };
    const { profile } = await issue({ maxExpirationSeconds: 7_200 }, { policy });
    assert.equal(profile.notBefore.toISOString(), '2026-11-24T11:59:00.000Z');
    assert.equal(profile.notAfter.toISOString(), '2026-11-24T13:59:00.000Z');
  });

  it('the certificate expires with its CA, although those of CSRs may not', async () => {
    const caNotAfter = new Date('2026-11-24T18:00:00Z');
    const { profile } = await issue({}, { caNotAfter, policy: { clampToCa: false } });
    assert.equal(profile.notAfter.toISOString(), caNotAfter.toISOString());
  });
});
