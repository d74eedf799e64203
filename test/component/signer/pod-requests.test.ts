// One run for one PodCertificateRequest: the exact requests to the API server, and where its reason is reported.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podDenialText } from '@countersign/common/reference-permission.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { encodeSubject } from '@countersign/common/x509/general-names.ts';
import { buildPodRequest, buildStub } from '../../support/pod-request-builder.ts';
import { PodWorld } from './pod-world.ts';

const REVIEW = 'create /apis/authorization.k8s.io/v1/subjectaccessreviews';
const SECRET = 'get /api/v1/namespaces/sandbox/secrets/my-ca';
const PATCH =
  'mergePatch /apis/certificates.k8s.io/v1/namespaces/team/podcertificaterequests/req-abcde/status?fieldManager=countersign-signer';

test('a request is signed with one access review, one read of the Secret and one patch, and without an event', async () => {
  const world = new PodWorld();
  await world.run();
  assert.deepEqual([world.asked, world.events], [[REVIEW, SECRET, PATCH], []]);
  assert.equal(world.status?.conditions?.[0]?.type, 'Issued');
});

test('the audit lines of a certificate name its pod and node, since the request is deleted after minutes', async () => {
  const world = new PodWorld();
  await world.run();
  const audit = world.lines.filter(line => line['audit'] === true);
  assert.deepEqual(
    audit.map(({ msg, podName, nodeName, requester }) => [msg, podName, nodeName, requester]),
    ['signing certificate', 'certificate issued'].map(msg => [msg, 'web-0', 'n1', 'system:serviceaccount:team:web']),
  );
});

test('requests of one ServiceAccount share an access review for a second, whatever its answer is', async () => {
  const world = new PodWorld();
  world.mayReference = false;
  await world.run();
  world.request = buildPodRequest({ uid: 'another' });
  await world.run();
  assert.deepEqual(world.asked, [REVIEW, REVIEW], 'by name and for all names');
  world.now += 1_000;
  await world.run();
  assert.equal(world.asked.length, 4);
});

test('a missing permission writes nothing to the request; its event is on the pod as well, and it is asked again', async () => {
  const world = new PodWorld();
  world.mayReference = false;
  const effects = await world.run();
  assert.equal(world.status, undefined);
  assert.deepEqual(world.events, ['PodCertificateRequest req-abcde DeniedReference', 'Pod web-0 DeniedReference']);
  const ref = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
  assert.deepEqual(world.messages, [podDenialText(ref, 'team', 'web')]);
  const again = effects.find(({ kind }) => kind === 'requeue-after');
  assert.deepEqual(again, { kind: 'requeue-after', afterMs: 5_000 });
});

test('what waits is looked at again less often the longer it waits, at least once a minute', async () => {
  const world = new PodWorld();
  world.mayReference = false;
  const delays: unknown[] = [];
  for (const [openMs, uid] of [
    [30_000, 'a'],
    [3_600_000, 'b'],
  ] as const) {
    world.request = buildPodRequest({ uid });
    world.now = Date.parse(world.request.metadata.creationTimestamp!) + openMs;
    delays.push((await world.run()).find(({ kind }) => kind === 'requeue-after'));
  }
  assert.deepEqual(delays, [
    { kind: 'requeue-after', afterMs: 15_000 },
    { kind: 'requeue-after', afterMs: 60_000 },
  ]);
});

test('a request that no change can make right is denied by one patch, without a look at the issuer', async () => {
  const world = new PodWorld();
  world.request = buildPodRequest({ annotations: { 'example.com/unknown': 'x' } });
  await world.run();
  assert.deepEqual(world.asked, [PATCH]);
  const [condition] = world.status?.conditions ?? [];
  assert.deepEqual([condition?.type, condition?.reason], ['Denied', 'InvalidUnverifiedUserAnnotations']);
  assert.deepEqual(world.events, [
    'PodCertificateRequest req-abcde InvalidUnverifiedUserAnnotations',
    'Pod web-0 InvalidUnverifiedUserAnnotations',
  ]);
});

test('a certificate that the API server rejects makes the request wait, with an alert, and never fails it', async () => {
  const world = new PodWorld();
  world.fault = ({ verb }) => {
    if (verb === 'mergePatch') throw new TerminalError('status.notBefore: Invalid value', { code: 'invalid' });
  };
  const effects = await world.run();
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['count-refusal', 'wake-on-secret', 'requeue-after', 'recheck-issuer', 'report'],
  );
  assert.deepEqual(
    world.asked.filter(call => call.startsWith('mergePatch')),
    [PATCH],
  );
  assert.deepEqual(world.events, ['PodCertificateRequest req-abcde SigningError', 'Pod web-0 SigningError']);
});

test('a request whose signer name this signer may not deny has an event, and nothing is written to it', async () => {
  const world = new PodWorld();
  world.request = buildPodRequest({ signerName: 'foo.cert-manager.io/x' });
  await world.run();
  assert.deepEqual(world.asked, []);
  assert.deepEqual(world.events, ['PodCertificateRequest req-abcde InvalidSignerName', 'Pod web-0 InvalidSignerName']);
});

test('a request whose stub has more than a key waits: a later kubelet may send it, and a denial would be final', async () => {
  const world = new PodWorld();
  world.request = buildPodRequest({ stub: buildStub(undefined, encodeSubject('web.team.svc')) });
  const effects = await world.run();
  assert.deepEqual(world.asked, []);
  assert.deepEqual(world.events, [
    'PodCertificateRequest req-abcde InvalidStubRequest',
    'Pod web-0 InvalidStubRequest',
  ]);
  const outcomes = effects.map(effect => (effect.kind === 'report' ? effect.outcome.result : effect.kind));
  assert.deepEqual(outcomes, ['waiting']);
});

test('a request for one of our signer names that can name no issuer is denied', async () => {
  const world = new PodWorld();
  world.request = buildPodRequest({ signerName: 'clusterissuers.cert-manager.io/a_b' });
  await world.run();
  assert.equal(world.status?.conditions?.[0]?.type, 'Denied');
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
    const world = new PodWorld();
    world.fault = ({ verb }) => {
      const at = new Date(world.now).toISOString();
      if (verb === 'mergePatch') throw new TerminalError(`PATCH: 422: ${rejection(at)}`, { code: 'invalid' });
    };
    for (let attempt = 0; attempt < 3; attempt++, world.now += 60_000) await world.run();
    assert.deepEqual(world.events, ['PodCertificateRequest req-abcde SigningError', 'Pod web-0 SigningError']);
    assert.match(world.messages[0] ?? '', new RegExp(`${shown}$`));
    const warnings = world.lines.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ msg, detail }) => [msg, detail]),
      Array.from({ length: 3 }, () => ['certificate rejected by API server', world.messages[0]]),
    );
  });
}

test('a request that waits for the owner of the issuer neither polls the Secret nor checks the issuer again', async () => {
  const world = new PodWorld();
  world.request = buildPodRequest({ annotations: { 'pods.countersign.io/dns-names': 'www.example.com' } });
  const effects = await world.run();
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['requeue-after', 'report'],
  );
});
