// A certificate that is out without its `ca` annotation: the server drops it, or it could not be written. It is completed, and
// never signed again.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation } from '@countersign/common/annotations.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { buildSecret, readCertificates } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import {
  CSR_PATH,
  ISSUED,
  isStatusPatch,
  PATCH,
  patched,
  REVIEW,
  SECRET,
  SECRET_PATH,
  SignerWorld,
} from './signer-world.ts';

const rootPem = readCertificates('root');

describe('where the server drops the annotation', () => {
  const second = { annotations: { [CA]: encodeCaAnnotation(rootPem) } };
  const drop = (world: SignerWorld, keepsFrom: number) => (call: RecordedCall) => {
    if (!isStatusPatch(call)) return undefined;
    return world.client.writes.length >= keepsFrom ? buildCsr(second) : buildCsr();
  };

  it('it is patched by itself, for this one CSR, after the certificate', async () => {
    const world = new SignerWorld();
    world.fault = drop(world, 2);
    await world.run();
    assert.deepEqual(world.asked.slice(2), [PATCH, PATCH]);
    assert.deepEqual(world.client.writes[1]?.body, { metadata: { ...second, uid: 'uid-of-jane' } });
    assert.deepEqual(world.client.events, [ISSUED]);
  });

  it('from every status patch, it is patched on the object itself', async () => {
    const world = new SignerWorld();
    world.fault = drop(world, 3);
    await world.run();
    assert.deepEqual(world.asked.slice(2), [PATCH, PATCH, `mergePatch ${CSR_PATH}?fieldManager=countersign-signer`]);
  });

  it('and takes no second patch either, the certificate is issued all the same', async () => {
    const world = new SignerWorld();
    world.fault = call => {
      if (isStatusPatch(call) && world.client.writes.length > 1) throw new RetryableError('403', { code: 'forbidden' });
      return isStatusPatch(call) ? buildCsr() : undefined;
    };
    await world.run();
    assert.deepEqual(world.client.events, [ISSUED]);
    assert.equal(world.outcomes[0]?.result, 'issued');
    assert.ok(world.logged.some(({ msg }) => msg === 'cannot write ca annotation, will retry'));
  });
});

describe('our certificate without its annotation', () => {
  async function toRepair(options = {}): Promise<SignerWorld> {
    const before = new SignerWorld();
    await before.run();
    const world = new SignerWorld(options);
    world.csr = buildCsr(patched(before.client.writes[0], true));
    return world;
  }

  it('gets it when it is seen again', async () => {
    const world = await toRepair();
    world.fault = call => (isStatusPatch(call) ? buildCsr({ annotations: { [CA]: 'x' } }) : undefined);
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(world.client.writes[0]?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(rootPem) }, uid: 'uid-of-jane' },
    });
    assert.deepEqual(world.client.events, []);
    assert.deepEqual(world.outcomes, [{ result: 'repaired', reason: undefined, issuerType: 'ca' }]);
  });

  it('is no second certificate when its write has to be tried again', async () => {
    const world = await toRepair();
    world.fault = call => {
      if (isStatusPatch(call)) throw new RetryableError('no answer', { code: 'timeout' });
      return undefined;
    };
    await assert.rejects(world.run(), { message: 'no answer' });
    await assert.rejects(world.run(1), { message: 'no answer' });
    assert.deepEqual([world.client.events, world.outcomes], [[], []]);
  });

  it('is left alone when the CA is another by now', async () => {
    const world = await toRepair();
    world.secret = buildSecret({ 'tls.key': readPki('keys/ed25519'), 'tls.crt': readCertificates('ed25519-root') });
    await world.run();
    assert.deepEqual(world.client.writes, []);
  });

  it('is left to another replica when the lead was lost during the reads', async () => {
    const world = await toRepair();
    world.fault = ({ path }) => {
      if (path === SECRET_PATH) world.isLeading = false;
    };
    await world.run();
    assert.deepEqual([world.asked, world.client.writes], [[REVIEW, SECRET], []]);
  });

  it('is left alone when annotations are switched off', async () => {
    const world = await toRepair({ writeCaAnnotation: false });
    await world.run();
    assert.deepEqual(world.client.calls, []);
  });
});
