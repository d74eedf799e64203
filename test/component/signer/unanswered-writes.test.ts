// A write to a CSR's status whose answer is lost may have been taken all the same: it is told of once, when it is found, by
// the replica whose write it was.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CA, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { type RetryableCode, RetryableError } from '@countersign/common/runtime/errors.ts';
import { buildCertificateOf, buildCsr } from '../../support/csr-builder.ts';
import { CSR_PATH, certificateIn, ISSUED, isStatusPatch, patched, SignerWorld } from './signer-world.ts';

const conflict = new RetryableError('conflict', { code: 'conflict' });

it('a write that was taken, though its answer was lost, is told of when it is found', async () => {
  const world = new SignerWorld();
  // Its serial begins with a zero octet.
  world.csr = buildCsr({ name: 'jane-40' });
  world.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    const isFirst = world.client.writes.length === 1;
    // It lands late: the next look does not see it yet, and writes once more.
    if (!isFirst) world.fresh = buildCsr({ ...patched(world.client.writes[0]), name: 'jane-40' });
    throw isFirst ? new RetryableError('no answer', { code: 'timeout' }) : conflict;
  };
  await assert.rejects(world.run(), { message: 'no answer' });
  await assert.rejects(world.run(1), conflict);
  await world.run(2);
  assert.deepEqual(world.client.events, ['Warning SigningError: Error updating certificate: no answer', ISSUED]);
  assert.deepEqual(world.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'ca' }]);
  const [signing, , issued] = world.logged.filter(({ audit }) => audit === true);
  const { sha256, ...fields } = issued!;
  assert.deepEqual({ ...fields, msg: 'signing certificate', time: signing?.['time'] }, signing);
  assert.equal(sha256, certificateIn(world.client.writes[0]?.body).fingerprint256.replaceAll(':', '').toLowerCase());
});

it('so is a failure, with the reason and the message that the CSR has', async () => {
  const world = new SignerWorld();
  world.csr = buildCsr({ annotations: { [REQUEST_DURATION]: '1m' } });
  world.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    const { status } = call.body as { status: CertificateSigningRequest['status'] };
    world.fresh = { ...buildCsr(), ...(status && { status }) };
    throw new RetryableError('no answer', { code: 'network' });
  };
  await assert.rejects(world.run(), { message: 'no answer' });
  await world.run(1);
  await world.run(2);
  assert.deepEqual(world.client.events, [
    'Warning InvalidDuration: CertificateSigningRequest minimum allowed duration is 10m0s, requested 1m0s',
  ]);
  assert.deepEqual(world.outcomes, [{ result: 'failed', reason: 'InvalidDuration', issuerType: 'ca' }]);
});

/** Whose write of the certificate was taken, without an answer. */
async function landed(code: RetryableCode = 'timeout'): Promise<SignerWorld> {
  const world = new SignerWorld();
  world.fault = call => {
    if (!isStatusPatch(call)) return undefined;
    world.fresh = buildCsr(patched(call));
    throw new RetryableError('no answer', { code });
  };
  await assert.rejects(world.run());
  return world;
}

for (const [code, mayHaveLanded] of [
  ['network', true],
  ['timeout', true],
  ['server', true],
  ['conflict', false],
  ['forbidden', false],
  ['throttled', false],
] as const) {
  it(`a write that ends with ${code} ${mayHaveLanded ? 'may' : 'cannot'} have been taken`, async () => {
    const world = await landed(code);
    assert.equal(world.deps.ledger.isInDoubt('jane'), mayHaveLanded);
  });
}

it('a replica that will not come back to a write without an answer looks once more, and tells of it', async () => {
  const world = await landed();
  await world.settle();
  assert.deepEqual(
    world.outcomes.map(({ result }) => result),
    ['issued'],
  );
  assert.deepEqual(world.deps.ledger.inDoubt, []);
});

it('a replica that leads again looks at what it wrote without an answer, though its copy is done', async () => {
  const world = await landed();
  world.csr = world.fresh ?? assert.fail();
  await world.run();
  assert.deepEqual(world.asked.slice(3), [`get ${CSR_PATH}`]);
  assert.equal(world.outcomes[0]?.result, 'issued');
});

it("what another replica has written is that replica's to tell of", async () => {
  const world = await landed();
  world.fresh = buildCsr({ certificate: buildCertificateOf(), annotations: { [CA]: 'x' } });
  await world.run(1);
  assert.deepEqual([world.outcomes, world.deps.ledger.inDoubt], [[], []]);
});

it('what was written without an answer to a CSR that is gone, or another by now, is forgotten', async () => {
  for (const fresh of [
    undefined,
    { ...buildCsr(), metadata: { name: 'jane', uid: 'another', resourceVersion: '9' } },
  ]) {
    const world = await landed();
    Object.assign(world.deps.client, { get: async () => fresh });
    await world.settle();
    assert.deepEqual([world.deps.ledger.inDoubt, world.outcomes], [[], []]);
  }
});
