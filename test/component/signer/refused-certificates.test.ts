// One run for one CSR whose certificate the API server takes for invalid, or that does not verify: whose fault it is, what is
// said of it, and that nothing is signed in vain again.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import {
  encodeBitString,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  sequence,
  tlv,
} from '@countersign/common/x509/der.ts';
import { CURVE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import type { IssuerDecision } from '@countersign/signer/issuers/issuer-type.ts';
import { buildIssuer, buildSecret, readCertificates, rootTexts, type SecretTexts } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { isStatusPatch, PATCH, REVIEW, SECRET, SignerWorld, type StatusPatch } from './signer-world.ts';

const TRIAL = `${PATCH}&dryRun=All`;
const MESSAGE =
  'PATCH /apis/x: 422 Invalid: CertificateSigningRequest "jane" is invalid: status.certificate: Invalid value: "<certificate data>": x509: odd';
const REJECTED =
  'Failed to parse signing CA keypair from secret sandbox/my-ca: the API server rejects the CA certificates: issue new ones: x509: odd';
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

async function readinessOf({ deps, secrets }: SignerWorld): Promise<string> {
  const [handler] = deps.settings.handlers;
  const ref = { namespace: 'sandbox', name: 'my-ca' };
  const { status, reason, message } = handler!.readiness(
    await handler!.load({ ref, secret: await secrets.read(ref) }),
  ).condition;
  return `${status} ${reason}: ${message}`;
}

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
    const rejected = REJECTED.replace(/^.*?my-ca: /, '');
    assert.equal(await readinessOf(world), `False ErrGetKeyPair: Error getting keypair for CA issuer: ${rejected}`);
  });

  it('is signed with the next version of the Secret', async () => {
    const world = refusing(intermediate, true);
    await world.run();
    world.fault = () => undefined;
    world.secret = buildSecret(intermediate, 'my-ca', '2');
    Object.assign(world.secrets, { read: async () => world.secret });
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

/** The EC key of the file in SEC1 with the private number of another (RFC 5915 section 3). */
function keyOfAnotherNumber(): string {
  const { d = '' } = createPrivateKey(readPki('keys/p256')).export({ format: 'jwk' });
  const point = createPublicKey(readPki('keys/p256-root')).export({ format: 'der', type: 'spki' }).subarray(-65);
  const number = encodeOctetString(Buffer.from(d, 'base64url'));
  const fields = [tlv(0xa0, encodeOid(CURVE.p256)), tlv(0xa1, encodeBitString(point))];
  return formatPem('EC PRIVATE KEY', sequence(encodeInteger(Buffer.of(1)), number, ...fields));
}

const UNPROVEN = 'the private key does not match the public key stored with it';

describe('a key that does not sign what its public half verifies', () => {
  it('of a CA makes the request wait for the Secret, and the issuer not Ready', async () => {
    const world = new SignerWorld();
    world.secret = buildSecret({ ...rootTexts(), 'tls.key': keyOfAnotherNumber() });
    await world.run();
    const event = `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: ${UNPROVEN}`;
    assert.deepEqual([world.client.events, world.client.writes], [[event], []]);
    assert.deepEqual(world.rechecked, [ISSUER]);
    assert.equal(await readinessOf(world), `False ErrGetKeyPair: Error getting keypair for CA issuer: ${UNPROVEN}`);
  });

  it('of a SelfSigned request makes it wait for its Secret', async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
    world.secret = buildSecret({ 'tls.key': keyOfAnotherNumber() }, 'my-key');
    await world.run();
    const event = `Warning ErrorParsingKey: Failed to parse signing key from secret sandbox/my-key: ${UNPROVEN}`;
    assert.deepEqual([world.client.events, world.client.writes], [[event], []]);
  });

  it('only once it is used is said, counted, and tried again when the Secret changes', async () => {
    const world = new SignerWorld();
    let isDamaged = true;
    const ca = createCaIssuer();
    const decide: typeof ca.decide = (...asked) => (isDamaged ? damage(ca.decide(...asked)) : ca.decide(...asked));
    Object.assign(world.deps.settings, { handlers: [{ ...ca, decide }] });
    await world.run();
    const problem = 'signed certificate differs from the linted one: the signature does not verify';
    const event = `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: ${problem}`;
    assert.deepEqual([world.client.events, world.client.writes], [[event], []]);
    assert.deepEqual(
      world.refused.map(({ code, message }) => [code, message]),
      [['invalid', problem]],
    );
    world.secrets.wakeOnChange({ namespace: 'sandbox', name: 'my-ca' }, '2', 'another', () => undefined);
    assert.deepEqual(world.requeued, ['jane']);
    isDamaged = false;
    await world.run();
    assert.equal(world.outcomes.at(-1)?.result, 'issued');
  });
});

/** The same decision with a key whose signatures are wrong. */
function damage(decision: IssuerDecision): IssuerDecision {
  if (decision.kind !== 'issue' || decision.issuance.kind !== 'local') return decision;
  const { issuance } = decision;
  const key = Object.assign(Object.create(issuance.key), { sign: async () => Buffer.from('wrong') });
  return { ...decision, issuance: { ...issuance, key } };
}
