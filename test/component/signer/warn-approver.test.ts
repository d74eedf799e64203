// The event that warns the approver of a pending CSR which key a SelfSigned issuer will sign with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { until } from '../../support/until.ts';
import { start } from './controller-harness.ts';
import { SignerHarness } from './signer-harness.ts';

const WAITING = 'Normal WaitingApproval: Waiting for the Approved condition before issuing';
const warning = (secret: string) =>
  `Warning SelfSignedKey: The certificate will be signed with the key in Secret ${secret}: before you approve, check that the requester (spec.username) owns it`;

async function eventsOf(secret: string | undefined, isSelfSigned = true): Promise<readonly string[]> {
  const harness = new SignerHarness();
  const annotations = secret === undefined ? {} : { [PRIVATE_KEY_SECRET_NAME]: secret };
  harness.csr = buildCsr({ conditions: [], annotations });
  harness.receivedAgoMs = 2_000;
  if (isSelfSigned) harness.issuer = { ...buildIssuer(), spec: { selfSigned: {} } };
  await harness.run();
  assert.deepEqual(harness.asked, []);
  return harness.client.events;
}

test('a pending CSR for a SelfSigned issuer gets one event that names the signing Secret', async () => {
  assert.deepEqual(await eventsOf('my-key'), [WAITING, warning('sandbox/my-key')]);
});

test('the warning does not repeat an invalid Secret name', async () => {
  assert.deepEqual(await eventsOf('Not Legal'), [WAITING, warning('sandbox/<invalid name: 9 characters>')]);
});

test('a pending CSR for a CA issuer or without the annotation gets no warning', async () => {
  assert.deepEqual(await eventsOf('my-key', false), [WAITING]);
  assert.deepEqual(await eventsOf(undefined), [WAITING]);
});

test('the approver is warned once, as soon as the SelfSigned issuer exists', async t => {
  const annotations = { [PRIVATE_KEY_SECRET_NAME]: 'my-key' };
  const signerName = 'issuers.cert-manager.io/sandbox.later';
  const pending = buildCsr({ conditions: [], annotations, signerName });
  const { client } = await start(t, { csrs: [pending] });
  const issuer = buildIssuer({ selfSigned: {} });
  const later = { ...issuer, metadata: { ...issuer.metadata, name: 'later', uid: 'uid-of-later' } };
  client.push('issuers', 'ADDED', later, '101');
  await until(() => client.events.length === 1);
  client.push('issuers', 'MODIFIED', { ...later, metadata: { ...later.metadata, generation: 3 } }, '102');
  await sleep(50);
  assert.deepEqual(client.events, [warning('sandbox/my-key')]);
  assert.deepEqual(client.writes, []);
});
