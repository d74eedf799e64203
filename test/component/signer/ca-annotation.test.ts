// A stored certificate without its `ca` annotation, because the server dropped it or the write failed: the annotation
// is added, and the request is never signed again.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation } from '@countersign/common/annotations.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { buildSecret, readCertificates } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { REVIEW, SECRET, SECRET_PATH } from './reconcile-harness.ts';
import { CSR_PATH, ISSUED, isStatusPatch, PATCH, patched, SignerHarness } from './signer-harness.ts';

const rootPem = readCertificates('root');

describe('a server that drops the annotation', () => {
  const second = { annotations: { [CA]: encodeCaAnnotation(rootPem) } };
  const drop = (harness: SignerHarness, keepsFrom: number) => (call: RecordedCall) => {
    if (!isStatusPatch(call)) return undefined;
    return harness.client.writes.length >= keepsFrom ? buildCsr(second) : buildCsr();
  };

  it('a dropped annotation is patched separately, for the same uid, after the certificate', async () => {
    const harness = new SignerHarness();
    harness.fault = drop(harness, 2);
    await harness.run();
    assert.deepEqual(harness.asked.slice(2), [PATCH, PATCH]);
    assert.deepEqual(harness.client.writes[1]?.body, { metadata: { ...second, uid: 'uid-of-jane' } });
    assert.deepEqual(harness.client.events, [ISSUED]);
  });

  it('an annotation dropped from every status patch is patched on the object itself', async () => {
    const harness = new SignerHarness();
    harness.fault = drop(harness, 3);
    await harness.run();
    assert.deepEqual(harness.asked.slice(2), [PATCH, PATCH, `mergePatch ${CSR_PATH}?fieldManager=countersign-signer`]);
  });

  it('a certificate is issued even if its annotation cannot be patched', async () => {
    const harness = new SignerHarness();
    harness.fault = call => {
      if (isStatusPatch(call) && harness.client.writes.length > 1)
        throw new RetryableError('403', { code: 'forbidden' });
      return isStatusPatch(call) ? buildCsr() : undefined;
    };
    await harness.run();
    assert.deepEqual(harness.client.events, [ISSUED]);
    assert.equal(harness.outcomes[0]?.result, 'issued');
    assert.ok(harness.logged.some(({ msg }) => msg === 'cannot write ca annotation, will retry'));
  });
});

describe('our certificate without its annotation', () => {
  async function toRepair(options = {}): Promise<SignerHarness> {
    const before = new SignerHarness();
    await before.run();
    const harness = new SignerHarness(options);
    harness.csr = buildCsr(patched(before.client.writes[0], true));
    return harness;
  }

  it('our certificate without its annotation gets it on the next reconcile', async () => {
    const harness = await toRepair();
    harness.fault = call => (isStatusPatch(call) ? buildCsr({ annotations: { [CA]: 'x' } }) : undefined);
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(harness.client.writes[0]?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(rootPem) }, uid: 'uid-of-jane' },
    });
    assert.deepEqual(harness.client.events, []);
    assert.deepEqual(harness.outcomes, [{ result: 'repaired', reason: undefined, issuerType: 'ca' }]);
  });

  it('a repair that has to be retried does not sign again', async () => {
    const harness = await toRepair();
    harness.fault = call => {
      if (isStatusPatch(call)) throw new RetryableError('no answer', { code: 'timeout' });
      return undefined;
    };
    await assert.rejects(harness.run(), { message: 'no answer' });
    await assert.rejects(harness.run(1), { message: 'no answer' });
    assert.deepEqual([harness.client.events, harness.outcomes], [[], []]);
  });

  it('a certificate is not repaired if the CA has been replaced', async () => {
    const harness = await toRepair();
    harness.secret = buildSecret({ 'tls.key': readPki('keys/ed25519'), 'tls.crt': readCertificates('ed25519-root') });
    await harness.run();
    assert.deepEqual(harness.client.writes, []);
  });

  it('a replica that loses leadership during the reads does not repair', async () => {
    const harness = await toRepair();
    harness.fault = ({ path }) => {
      if (path === SECRET_PATH) harness.isLeading = false;
    };
    await harness.run();
    assert.deepEqual([harness.asked, harness.client.writes], [[REVIEW, SECRET], []]);
  });

  it('a certificate is not repaired if the ca annotation is disabled', async () => {
    const harness = await toRepair({ writeCaAnnotation: false });
    await harness.run();
    assert.deepEqual(harness.client.calls, []);
  });
});
