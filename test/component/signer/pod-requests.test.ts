// One run for one PodCertificateRequest: the exact requests to the API server, and where its reason is reported.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podDenialText } from '@countersign/common/reference-permission.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { encodeSubject } from '@countersign/common/x509/general-names.ts';
import { buildPodRequest, buildStub } from '../../support/pod-request-builder.ts';
import { POD_PATCH as PATCH, PodHarness } from './pod-harness.ts';
import { REVIEW, SECRET } from './reconcile-harness.ts';

test('a request is signed with one access review, one read of the Secret and one patch, and without an event', async () => {
  const harness = new PodHarness();
  await harness.run();
  assert.deepEqual([harness.asked, harness.events], [[REVIEW, SECRET, PATCH], []]);
  assert.equal(harness.status?.conditions?.[0]?.type, 'Issued');
});

test('the audit lines of a certificate name its pod and node, since the request is deleted after minutes', async () => {
  const harness = new PodHarness();
  await harness.run();
  const audit = harness.logged.filter(line => line['audit'] === true);
  assert.deepEqual(
    audit.map(({ msg, podName, nodeName, requester }) => [msg, podName, nodeName, requester]),
    ['signing certificate', 'certificate issued'].map(msg => [msg, 'web-0', 'n1', 'system:serviceaccount:team:web']),
  );
});

test('requests of one ServiceAccount share an access review for a second, whatever its answer is', async () => {
  const harness = new PodHarness();
  harness.mayReference = [];
  await harness.run();
  harness.request = buildPodRequest({ uid: 'another' });
  await harness.run();
  assert.deepEqual(harness.asked, [REVIEW, REVIEW], 'by name and for all names');
  harness.now += 1_000;
  await harness.run();
  assert.equal(harness.asked.length, 4);
});

test('a missing permission writes nothing to the request; its event is on the pod as well, and it is asked again', async () => {
  const harness = new PodHarness();
  harness.mayReference = [];
  const effects = await harness.run();
  assert.equal(harness.status, undefined);
  assert.deepEqual(harness.events, ['PodCertificateRequest req-abcde DeniedReference', 'Pod web-0 DeniedReference']);
  const ref = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
  assert.deepEqual(harness.messages, [podDenialText(ref, 'team', 'web')]);
  const again = effects.find(({ kind }) => kind === 'requeue-after');
  assert.deepEqual(again, { kind: 'requeue-after', afterMs: 5_000 });
});

test('what waits is looked at again less often the longer it waits, at least once a minute', async () => {
  const harness = new PodHarness();
  harness.mayReference = [];
  const delays: unknown[] = [];
  for (const [openMs, uid] of [
    [30_000, 'a'],
    [3_600_000, 'b'],
  ] as const) {
    harness.request = buildPodRequest({ uid });
    harness.now = Date.parse(harness.request.metadata.creationTimestamp!) + openMs;
    delays.push((await harness.run()).find(({ kind }) => kind === 'requeue-after'));
  }
  assert.deepEqual(delays, [
    { kind: 'requeue-after', afterMs: 15_000 },
    { kind: 'requeue-after', afterMs: 60_000 },
  ]);
});

test('a request that no change can make right is denied by one patch, without a look at the issuer', async () => {
  const harness = new PodHarness();
  harness.request = buildPodRequest({ annotations: { 'example.com/unknown': 'x' } });
  await harness.run();
  assert.deepEqual(harness.asked, [PATCH]);
  const [condition] = harness.status?.conditions ?? [];
  assert.deepEqual([condition?.type, condition?.reason], ['Denied', 'InvalidUnverifiedUserAnnotations']);
  assert.deepEqual(harness.events, [
    'PodCertificateRequest req-abcde InvalidUnverifiedUserAnnotations',
    'Pod web-0 InvalidUnverifiedUserAnnotations',
  ]);
});

test('a certificate that the API server rejects makes the request wait, with an alert, and never fails it', async () => {
  const harness = new PodHarness();
  harness.fault = ({ verb }) => {
    if (verb === 'mergePatch') throw new TerminalError('status.notBefore: Invalid value', { code: 'invalid' });
  };
  const effects = await harness.run();
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['count-refusal', 'wake-on-secret', 'requeue-after', 'recheck-issuer', 'report'],
  );
  assert.deepEqual(
    harness.asked.filter(call => call.startsWith('mergePatch')),
    [PATCH],
  );
  assert.deepEqual(harness.events, ['PodCertificateRequest req-abcde SigningError', 'Pod web-0 SigningError']);
});

test('a request whose signer name this signer may not deny has an event, and nothing is written to it', async () => {
  const harness = new PodHarness();
  harness.request = buildPodRequest({ signerName: 'foo.cert-manager.io/x' });
  await harness.run();
  assert.deepEqual(harness.asked, []);
  assert.deepEqual(harness.events, [
    'PodCertificateRequest req-abcde InvalidSignerName',
    'Pod web-0 InvalidSignerName',
  ]);
});

test('a request whose stub has more than a key waits: a later kubelet may send it, and a denial would be final', async () => {
  const harness = new PodHarness();
  harness.request = buildPodRequest({ stub: buildStub(undefined, encodeSubject('web.team.svc')) });
  const effects = await harness.run();
  assert.deepEqual(harness.asked, []);
  assert.deepEqual(harness.events, [
    'PodCertificateRequest req-abcde InvalidStubRequest',
    'Pod web-0 InvalidStubRequest',
  ]);
  const outcomes = effects.map(effect => (effect.kind === 'report' ? effect.outcome.result : effect.kind));
  assert.deepEqual(outcomes, ['waiting']);
});

test('a request for one of our signer names that can name no issuer is denied', async () => {
  const harness = new PodHarness();
  harness.request = buildPodRequest({ signerName: 'clusterissuers.cert-manager.io/a_b' });
  await harness.run();
  assert.equal(harness.status?.conditions?.[0]?.type, 'Denied');
});

const REJECTIONS = [
  [
    (at: string) => `status.notBefore: Invalid value: "${at}": must be set to within 5 minutes`,
    'status.notBefore: must be set to within 5 minutes',
  ],
  [
    (at: string) =>
      `status.certificateChain: Invalid value: "-----BEGIN CERTIFICATE-----\\n${at}\\"${'A'.repeat(2000)}\\n": intermediate certificate does not parse`,
    'status.certificateChain: intermediate certificate does not parse',
  ],
] as const;

for (const [rejection, shown] of REJECTIONS) {
  test(`a certificate that is rejected at each attempt has one event on each object, which says ${shown}`, async () => {
    const harness = new PodHarness();
    harness.fault = ({ verb }) => {
      const at = new Date(harness.now).toISOString();
      if (verb === 'mergePatch') throw new TerminalError(`PATCH: 422: ${rejection(at)}`, { code: 'invalid' });
    };
    for (let attempt = 0; attempt < 3; attempt++, harness.now += 60_000) await harness.run();
    assert.deepEqual(harness.events, ['PodCertificateRequest req-abcde SigningError', 'Pod web-0 SigningError']);
    assert.match(harness.messages[0] ?? '', new RegExp(`${shown}$`));
    const warnings = harness.logged.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ msg, detail }) => [msg, detail]),
      Array.from({ length: 3 }, () => ['certificate rejected by API server', harness.messages[0]]),
    );
  });
}

test('a request that waits for the owner of the issuer neither polls the Secret nor checks the issuer again', async () => {
  const harness = new PodHarness();
  harness.request = buildPodRequest({ annotations: { 'pods.countersign.io/dns-names': 'www.example.com' } });
  const effects = await harness.run();
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['requeue-after', 'report'],
  );
});
