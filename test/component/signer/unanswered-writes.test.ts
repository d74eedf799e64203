// A status write whose answer is lost may have been stored: when that is discovered, the replica that wrote it reports
// it once.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CA, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { type RetryableCode, RetryableError } from '@countersign/common/runtime/errors.ts';
import { buildCertificateOf, buildCsr } from '../../support/csr-builder.ts';
import { CSR_PATH, certificateIn, ISSUED, isStatusPatch, patched, SignerHarness } from './signer-harness.ts';

const conflict = new RetryableError('conflict', { code: 'conflict' });

it('a stored write whose answer was lost is reported when it is found', async () => {
  const harness = new SignerHarness();
  // Its serial begins with a zero octet.
  harness.csr = buildCsr({ name: 'jane-40' });
  harness.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    const isFirst = harness.client.writes.length === 1;
    // Stored late: the next read does not see it yet and the write is repeated.
    if (!isFirst) harness.fresh = buildCsr({ ...patched(harness.client.writes[0]), name: 'jane-40' });
    throw isFirst ? new RetryableError('no answer', { code: 'timeout' }) : conflict;
  };
  await assert.rejects(harness.run(), { message: 'no answer' });
  await assert.rejects(harness.run(1), conflict);
  await harness.run(2);
  assert.deepEqual(harness.client.events, ['Warning SigningError: Error updating certificate: no answer', ISSUED]);
  assert.deepEqual(harness.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'ca' }]);
  const [signing, , issued] = harness.logged.filter(({ audit }) => audit === true);
  const { sha256, ...fields } = issued!;
  assert.deepEqual({ ...fields, msg: 'signing certificate', time: signing?.['time'] }, signing);
  assert.equal(sha256, certificateIn(harness.client.writes[0]?.body).fingerprint256.replaceAll(':', '').toLowerCase());
});

it('a stored failure whose answer was lost is reported with the reason and message in the CSR', async () => {
  const harness = new SignerHarness();
  harness.csr = buildCsr({ annotations: { [REQUEST_DURATION]: '1m' } });
  harness.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    const { status } = call.body as { status: CertificateSigningRequest['status'] };
    harness.fresh = { ...buildCsr(), ...(status && { status }) };
    throw new RetryableError('no answer', { code: 'network' });
  };
  await assert.rejects(harness.run(), { message: 'no answer' });
  await harness.run(1);
  await harness.run(2);
  assert.deepEqual(harness.client.events, [
    'Warning InvalidDuration: CertificateSigningRequest minimum allowed duration is 10m0s, requested 1m0s',
  ]);
  assert.deepEqual(harness.outcomes, [{ result: 'failed', reason: 'InvalidDuration', issuerType: 'ca' }]);
});

/** Returns a harness whose certificate write was stored without an answer. */
async function landed(code: RetryableCode = 'timeout'): Promise<SignerHarness> {
  const harness = new SignerHarness();
  harness.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    harness.fresh = buildCsr(patched(call));
    throw new RetryableError('no answer', { code });
  };
  await assert.rejects(harness.run());
  return harness;
}

for (const [code, mayHaveLanded] of [
  ['network', true],
  ['timeout', true],
  ['server', true],
  ['conflict', false],
  ['forbidden', false],
  ['throttled', false],
] as const) {
  it(`a write that fails with ${code} ${mayHaveLanded ? 'may' : 'cannot'} have been stored`, async () => {
    const harness = await landed(code);
    assert.equal(harness.deps.ledger.isInDoubt('jane'), mayHaveLanded);
  });
}

it('a replica that loses leadership checks its unanswered writes once and reports them', async () => {
  const harness = await landed();
  await harness.settle();
  assert.deepEqual(
    harness.outcomes.map(({ result }) => result),
    ['issued'],
  );
  assert.deepEqual(harness.deps.ledger.inDoubt, []);
});

it('a replica that becomes leader again checks its unanswered writes, even if the cached CSR is done', async () => {
  const harness = await landed();
  harness.csr = harness.fresh ?? assert.fail();
  await harness.run();
  assert.deepEqual(harness.asked.slice(3), [`get ${CSR_PATH}`]);
  assert.equal(harness.outcomes[0]?.result, 'issued');
});

it('a write by another replica is not reported', async () => {
  const harness = await landed();
  harness.fresh = buildCsr({ certificate: buildCertificateOf(), annotations: { [CA]: 'x' } });
  await harness.run(1);
  assert.deepEqual([harness.outcomes, harness.deps.ledger.inDoubt], [[], []]);
});

it('an unanswered write to a deleted or recreated CSR is forgotten', async () => {
  for (const fresh of [
    undefined,
    { ...buildCsr(), metadata: { name: 'jane', uid: 'another', resourceVersion: '9' } },
  ]) {
    const harness = await landed();
    Object.assign(harness.deps.client, { get: async () => fresh });
    await harness.settle();
    assert.deepEqual([harness.deps.ledger.inDoubt, harness.outcomes], [[], []]);
  }
});
