// One run for one CSR whose certificate the API server takes for invalid, or that does not verify: whose fault it is, what is
// said of it, and that nothing is signed in vain again.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { buildSecret, readCertificates, rootTexts, type SecretTexts } from '../../support/ca-builder.ts';
import { readPki, valueOf } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { isStatusPatch, PATCH, REVIEW, SECRET, SignerWorld, type StatusPatch } from './signer-world.ts';

const TRIAL = `${PATCH}&dryRun=All`;
const MESSAGE =
  'PATCH /apis/x: 422 Invalid: CertificateSigningRequest "jane" is invalid: status.certificate: Invalid value: "<certificate data>": x509: odd';
const REJECTED =
  'Failed to parse signing CA keypair from secret sandbox/my-ca: the API server does not take the certificates of the CA, issue them anew: x509: odd';
const ISSUER = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };

const refusal = new TerminalError(MESSAGE, { code: 'invalid' });
const isTrial = (call: RecordedCall) => isStatusPatch(call) && call.path.endsWith('dryRun=All');
const certificatesIn = ({ body }: RecordedCall): string =>
  Buffer.from((body as StatusPatch).status.certificate, 'base64').toString();

/** An API server that refuses certificates, those of the issuer too or not. */
function refusing(texts: SecretTexts, isIssuersFault: boolean): SignerWorld {
  const world = new SignerWorld();
  world.secret = buildSecret(texts);
  world.fault = call => {
    const hasCertificate = isStatusPatch(call) && (call.body as StatusPatch).status.certificate !== undefined;
    if (hasCertificate && (isIssuersFault || !isTrial(call))) throw refusal;
    return undefined;
  };
  return world;
}

const intermediate = {
  'tls.key': readPki('keys/rsa2048'),
  'tls.crt': readCertificates('intermediate1'),
  'ca.crt': readCertificates('root'),
};

describe('a certificate that the API server takes for invalid', () => {
  for (const [what, texts] of [
    ['with the certificates of an intermediate CA', intermediate],
    ['with the certificate of a root, which no chain shows', rootTexts()],
  ] as const) {
    it(`as it does ${what} makes the request wait for the Secret`, async () => {
      const world = refusing(texts, true);
      await world.run();
      assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH, TRIAL]);
      assert.deepEqual(world.client.events, [`Warning SecretInvalidData: ${REJECTED}`]);
      assert.deepEqual([world.outcomes[0]?.result, world.outcomes[0]?.reason], ['waiting', 'SecretInvalidData']);
      assert.deepEqual([world.refused.length, world.rechecked], [1, [ISSUER]]);
    });
  }

  it('is tried with the certificates of the issuer alone, the root among them', async () => {
    const world = refusing(intermediate, true);
    await world.run();
    const trial = world.client.calls.find(isTrial);
    assert.ok(trial !== undefined);
    for (const part of ['intermediate1', 'root'])
      assert.ok(certificatesIn(trial).includes(readPki(`certificates/${part}`)), part);
    assert.ok(certificatesIn(trial).startsWith(readPki('certificates/intermediate1')));
  });

  it('fails the request if the certificates of the issuer are taken: it can only be the leaf', async () => {
    const world = refusing(intermediate, false);
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH, TRIAL, PATCH]);
    assert.equal(world.outcomes[0]?.result, 'failed');
    assert.deepEqual([world.refused.length, world.rechecked], [1, []]);
  });

  it('is not signed again until the Secret changes, and the issuer is not ready meanwhile', async () => {
    const world = refusing(intermediate, true);
    await world.run();
    await world.run();
    assert.equal(world.client.writes.length, 2);
    assert.equal(world.outcomes[1]?.reason, 'SecretInvalidData');
    const ref = valueOf(parseSignerName(world.csr.spec.signerName));
    const [handler] = world.deps.handlers;
    const readiness = await handler?.readiness(world.deps, ref, world.issuer as never);
    assert.equal(readiness?.condition.reason, 'ErrGetKeyPair');
  });

  it('is signed with the next version of the Secret', async () => {
    const world = refusing(intermediate, true);
    await world.run();
    world.fault = () => undefined;
    world.secret = buildSecret(intermediate, 'my-ca', '2');
    Object.assign(world.deps, { readSecret: async () => world.secret });
    await world.run();
    assert.equal(world.outcomes[1]?.result, 'issued');
  });

  it('decides nothing when the trial gets no answer', async () => {
    const world = refusing(intermediate, false);
    const down = new RetryableError('500', { code: 'server' });
    const { fault } = world;
    world.fault = call => {
      if (isTrial(call)) throw down;
      return fault(call);
    };
    await assert.rejects(world.run(), down);
    assert.deepEqual(world.client.events, []);
    assert.deepEqual(world.outcomes, []);
  });
});
