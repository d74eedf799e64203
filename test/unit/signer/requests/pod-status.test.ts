// The status that is written to a PodCertificateRequest, held to the rules of the API server for all requests that
// it admits.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MILLISECOND, SECOND } from '@countersign/common/duration.ts';
import { COMMON_NAME, DNS_NAMES } from '@countersign/common/pods/pod-annotations.ts';
import type { PodCertificateRequestStatus } from '@countersign/common/pods/pod-certificate-request.ts';
import { deniedStatus, issuedStatus } from '@countersign/signer/requests/pod-certificate/pod-status.ts';
import { refusePodRequest } from '@countersign/signer/requests/pod-certificate/refuse-request.ts';
import { parseStubRequest } from '@countersign/signer/requests/pod-certificate/stub-request.ts';
import * as fc from 'fast-check';
import { oddText } from '../../../support/odd-text.ts';
import { readPki } from '../../../support/pki.ts';
import { issueToPod, type PodIssuance } from '../../../support/pod-issuance.ts';
import { buildPodRequest, buildStub } from '../../../support/pod-request-builder.ts';
import { findStatusProblems } from '../../../support/pod-status-rules.ts';

const NOW = new Date('2026-11-24T12:00:00.789Z');
const ISSUED = { reason: 'CertificateIssued', message: 'Certificate fetched from issuer successfully' };
const HOUR_MS = 3_600_000;

const STUBS = ['p256', 'p384', 'p521', 'ed25519', 'rsa3072', 'rsa4096'].map(key => buildStub(readPki(`keys/${key}`)));

async function issuedStatusOf(issuance: PodIssuance): Promise<PodCertificateRequestStatus> {
  const { chainPem } = await issueToPod(issuance);
  return issuedStatus(chainPem, issuance.request.metadata.uid ?? '', ISSUED, issuance.now);
}

describe('the status of an issued request', () => {
  const host = fc.stringMatching(
    /^([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?|\$\{POD_NAME\}\.web)\.team\.svc(\.cluster\.local)?$/,
  );
  const hosts = fc.uniqueArray(fc.oneof(host, fc.constant('*.team.svc')), { maxLength: 64 });

  const request = fc
    .record({
      uid: fc.uuid(),
      stub: fc.constantFrom(...STUBS),
      maxExpirationSeconds: fc.oneof(
        fc.integer({ min: 3_600, max: 7_862_400 }),
        fc.constantFrom(3_600, 86_400, 7_862_400),
      ),
      hosts,
      hasCommonName: fc.boolean(),
    })
    .map(({ hosts: names, hasCommonName, ...order }) => {
      const commonName = hasCommonName && (names[0]?.length ?? 99) < 50 ? { [COMMON_NAME]: names[0] ?? '' } : {};
      return buildPodRequest({ ...order, annotations: { [DNS_NAMES]: names.join(), ...commonName } });
    });

  const issuance: fc.Arbitrary<PodIssuance> = fc.record({
    request,
    now: fc.date({ min: new Date('2026-01-01'), max: new Date('2049-01-01'), noInvalidDate: true }),
    podPolicy: fc.record({
      maxDuration: fc
        .option(fc.integer({ min: HOUR_MS, max: 8_000_000_000 }), { nil: undefined })
        .map(ms => (ms === undefined ? ms : BigInt(ms) * MILLISECOND)),
      backdateMs: fc.integer({ min: 0, max: 86_400_000 }),
    }),
    policy: fc.record({
      backdate: fc.integer({ min: 0, max: 86_400_000 }),
      clampToCa: fc.boolean(),
      leafKeyIdentifier: fc.boolean(),
    }),
  });

  it('the status of an issued request keeps every rule, for all names, lifetimes, policies and CAs, with a clock skew below a minute', async () => {
    const ca = fc.oneof(
      fc.integer({ min: 70 * 60_000, max: 3 * HOUR_MS }),
      fc.integer({ min: 70 * 60_000, max: 8_000_000_000 }),
    );
    const skew = fc.integer({ min: -59_000, max: 59_000 });
    await fc.assert(
      fc.asyncProperty(issuance, ca, skew, async (order, caLifeMs, skewMs) => {
        const caNotAfter = new Date(order.now.getTime() + caLifeMs);
        const whole = { ...order, caNotAfter };
        const { profile } = await issueToPod(whole);
        const status = await issuedStatusOf(whole);
        const serverTime = new Date(order.now.getTime() + skewMs);
        assert.deepEqual(findStatusProblems(order.request, status, serverTime), []);
        assert.ok(profile.notAfter <= caNotAfter);
      }),
      { numRuns: 150 },
    );
  });

  it('a certificate has the whole lifetime that was asked for, unless operator or CA limit it', async () => {
    await fc.assert(
      fc.asyncProperty(issuance, async order => {
        const { maxDuration, backdateMs } = order.podPolicy ?? assert.fail('no policy');
        const asked = (order.request.spec.maxExpirationSeconds ?? 0) * 1000;
        const { notBefore, notAfter } = (await issueToPod(order)).profile;
        const lifetime = notAfter.getTime() - notBefore.getTime();
        if (maxDuration === undefined) assert.equal(lifetime, asked);
        else assert.ok(Math.abs(lifetime - Math.min(asked, Number(maxDuration / MILLISECOND))) <= 1_000);
        assert.ok(order.now.getTime() - notBefore.getTime() >= Math.min(backdateMs, 240_000));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the status of a denied request', () => {
  it('the status of a denied request keeps every rule, for all requests', () => {
    const order = fc.record({
      signerName: fc.constantFrom(
        'issuers.cert-manager.io/nodot',
        'issuers.cert-manager.io/a.b',
        'foo.cert-manager.io/x',
      ),
      stub: fc.oneof(fc.constantFrom(...STUBS), fc.base64String()),
      annotations: fc.dictionary(oddText, oddText, { maxKeys: 2 }),
    });
    fc.assert(
      fc.property(order, parts => {
        const request = buildPodRequest(parts);
        const refusal = refusePodRequest(request, parseStubRequest(request.spec.stubPKCS10Request));
        if (refusal === undefined) return;
        assert.deepEqual(findStatusProblems(request, deniedStatus(refusal, NOW), NOW), []);
      }),
    );
  });
});

const REQUEST = buildPodRequest({ maxExpirationSeconds: 3_600 });
const good = await issuedStatusOf({ request: REQUEST, now: NOW });

describe('findStatusProblems', () => {
  const problemsOf = (status: PodCertificateRequestStatus, serverTime = NOW, old = REQUEST) =>
    findStatusProblems(old, status, serverTime);
  const condition = good.conditions?.[0] ?? assert.fail('no condition');

  it('a status as it is issued has no problem', () => assert.deepEqual(problemsOf(good), []));

  const later = (text: string | undefined, seconds: number) =>
    new Date(Date.parse(text ?? '') + seconds * 1000).toISOString().replace('.000', '');
  const leaf = good.certificateChain ?? '';
  const broken: Record<string, readonly [PodCertificateRequestStatus, string]> = {
    'a notBefore that is not that of the leaf': [
      { ...good, notBefore: later(good.notBefore, 1) },
      'notBefore is not that of the leaf',
    ],
    'a notAfter that is not that of the leaf': [
      { ...good, notAfter: later(good.notAfter, -1) },
      'notAfter is not that of the leaf',
    ],
    'a refresh right after the beginning': [
      { ...good, beginRefreshAt: later(good.notBefore, 599) },
      'beginRefreshAt is too close to notBefore',
    ],
    'a refresh right before the end': [
      { ...good, beginRefreshAt: later(good.notAfter, -599) },
      'beginRefreshAt is too close to notAfter',
    ],
    'a chain that holds a key': [
      { ...good, certificateChain: `${leaf}${readPki('keys/p256')}` },
      'the chain is not a list of certificates',
    ],
    'no chain': [{ conditions: [condition] }, 'the chain is not a list of certificates'],
    'two conditions': [
      { ...good, conditions: [condition, { ...condition, type: 'Denied' }] },
      'there is more than one condition',
    ],
    'an unknown condition': [{ conditions: [{ ...condition, type: 'Pending' }] }, 'the condition is unknown'],
    'a reason with spaces': [
      { ...good, conditions: [{ ...condition, reason: 'is good' }] },
      'the reason has the wrong form',
    ],
    'a denial with a chain': [
      { ...good, conditions: [{ ...condition, type: 'Denied' }] },
      'certificateChain has a value, though nothing was issued',
    ],
    'a change without a condition': [{ certificateChain: leaf }, 'the status changes without a condition'],
  };
  for (const [what, [status, problem]] of Object.entries(broken)) {
    it(`${what} is a problem`, () => assert.ok(problemsOf(status).includes(problem), problemsOf(status).join('; ')));
  }

  it('a certificate that began five minutes ago is a problem', () => {
    const began = Date.parse(good.notBefore ?? '');
    assert.deepEqual(problemsOf(good, new Date(began + 299_999)), []);
    assert.deepEqual(problemsOf(good, new Date(began + 300_000)), ['notBefore is 5 minutes or more from now']);
  });

  it('a lifetime that is longer than asked for, or shorter than an hour, is a problem', async () => {
    const asked = buildPodRequest({ maxExpirationSeconds: 3_599 });
    assert.deepEqual(problemsOf(good, NOW, asked), ['the lifetime is longer than asked for']);
    const podPolicy = { maxDuration: 3_599n * SECOND, backdateMs: 0 };
    const short = await issuedStatusOf({ request: REQUEST, now: NOW, podPolicy });
    assert.deepEqual(problemsOf(short), ['the lifetime is less than an hour']);
  });

  it('another key is a problem, and so is any change of a final status', () => {
    assert.deepEqual(problemsOf(good, NOW, buildPodRequest({ stub: STUBS[3] ?? '', maxExpirationSeconds: 3_600 })), [
      'the certificate has another key than the stub',
    ]);
    assert.deepEqual(problemsOf({ conditions: [] }, NOW, { ...REQUEST, status: good }), ['the status is final']);
  });
});
