// Reconciling one CSR whose certificate the API server rejects as invalid, or does not verify: who is at fault, what is
// reported, and that it is not signed again in the same way.

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
import { readinessOf } from '../../support/issuer-case.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { REVIEW, SECRET } from './reconcile-harness.ts';
import { isStatusPatch, PATCH, SignerHarness, type StatusPatch } from './signer-harness.ts';

const DRY_RUN = `${PATCH}&dryRun=All`;
const MESSAGE =
  'PATCH /apis/x: 422 Invalid: CertificateSigningRequest "jane" is invalid: status.certificate: Invalid value: "<certificate data>": x509: odd';
const REJECTED =
  'Failed to parse signing CA keypair from secret sandbox/my-ca: the API server rejects the CA certificates: issue new ones: x509: odd';
const ISSUER = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };

const refusal = new TerminalError(MESSAGE, { code: 'invalid' });
const isDryRun = (call: RecordedCall) => isStatusPatch(call) && call.path.endsWith('dryRun=All');
const certificatesIn = ({ body }: RecordedCall): string =>
  Buffer.from((body as StatusPatch).status.certificate, 'base64').toString();

/** An API server that rejects certificates, including the issuer's if `isIssuersFault`. */
function refusing(texts: SecretTexts, isIssuersFault: boolean): SignerHarness {
  const harness = new SignerHarness();
  harness.secret = buildSecret(texts);
  harness.fault = call => {
    const hasCertificate = isStatusPatch(call) && (call.body as StatusPatch).status.certificate !== undefined;
    if (hasCertificate && (isIssuersFault || !isDryRun(call))) throw refusal;
    return undefined;
  };
  return harness;
}

const intermediate = {
  'tls.key': readPki('keys/rsa2048'),
  'tls.crt': readCertificates('intermediate1'),
  'ca.crt': readCertificates('root'),
};

async function conditionOf({ deps, secrets }: SignerHarness): Promise<string> {
  const [handler] = deps.settings.handlers;
  const ref = { namespace: 'sandbox', name: 'my-ca' };
  const material = await handler!.load({ ref, secret: await secrets.read(ref) });
  const { status, reason, message } = (await readinessOf(handler!, material)).condition;
  return `${status} ${reason}: ${message}`;
}

describe('a certificate that the API server rejects', () => {
  for (const [what, texts] of [
    ['with the certificates of an intermediate CA', intermediate],
    ['with the certificate of a root, which is not in the chain,', rootTexts()],
  ] as const) {
    it(`a certificate rejected together ${what} makes the request wait for the Secret`, async () => {
      const harness = refusing(texts, true);
      await harness.run();
      assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH, DRY_RUN]);
      assert.deepEqual(harness.client.events, [`Warning SecretInvalidData: ${REJECTED}`]);
      assert.deepEqual([harness.outcomes[0]?.result, harness.outcomes[0]?.reason], ['waiting', 'SecretInvalidData']);
      assert.deepEqual([harness.refused.length, harness.rechecked], [1, [ISSUER]]);
    });
  }

  it('a rejected certificate leads to a dry run with only the certificates of the issuer, including the root', async () => {
    const harness = refusing(intermediate, true);
    await harness.run();
    const dryRun = harness.client.calls.find(isDryRun);
    assert.ok(dryRun !== undefined);
    for (const part of ['intermediate1', 'root'])
      assert.ok(certificatesIn(dryRun).includes(readPki(`certificates/${part}`)), part);
    assert.ok(certificatesIn(dryRun).startsWith(readPki('certificates/intermediate1')));
  });

  it('a rejected certificate fails the request if the certificates of the issuer are accepted', async () => {
    const harness = refusing(intermediate, false);
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH, DRY_RUN, PATCH]);
    assert.equal(harness.outcomes[0]?.result, 'failed');
    assert.deepEqual([harness.refused.length, harness.rechecked], [1, []]);
  });

  it('a rejected certificate is not signed again before the Secret changes, and the issuer is not Ready', async () => {
    const harness = refusing(intermediate, true);
    await harness.run();
    await harness.run();
    assert.equal(harness.client.writes.length, 2);
    assert.equal(harness.outcomes[1]?.reason, 'SecretInvalidData');
    const rejected = REJECTED.replace(/^.*?my-ca: /, '');
    assert.equal(await conditionOf(harness), `False ErrGetKeyPair: Error getting keypair for CA issuer: ${rejected}`);
  });

  it('a request is signed with the next version of the Secret after a rejection', async () => {
    const harness = refusing(intermediate, true);
    await harness.run();
    harness.fault = () => undefined;
    harness.secret = buildSecret(intermediate, 'my-ca', '2');
    Object.assign(harness.secrets, { read: async () => harness.secret });
    await harness.run();
    assert.equal(harness.outcomes[1]?.result, 'issued');
  });

  it('a dry run without an answer decides nothing', async () => {
    const harness = refusing(intermediate, false);
    const down = new RetryableError('500', { code: 'server' });
    const { fault } = harness;
    harness.fault = call => {
      if (isDryRun(call)) throw down;
      return fault(call);
    };
    await assert.rejects(harness.run(), down);
    assert.deepEqual(harness.client.events, []);
    assert.deepEqual(harness.outcomes, []);
  });
});

/** Returns the EC key in SEC1 with the private value of another key (RFC 5915 section 3). */
function createMismatchedKey(): string {
  const { d = '' } = createPrivateKey(readPki('keys/p256')).export({ format: 'jwk' });
  const point = createPublicKey(readPki('keys/p256-root')).export({ format: 'der', type: 'spki' }).subarray(-65);
  const number = encodeOctetString(Buffer.from(d, 'base64url'));
  const fields = [tlv(0xa0, encodeOid(CURVE.p256)), tlv(0xa1, encodeBitString(point))];
  return formatPem('EC PRIVATE KEY', sequence(encodeInteger(Buffer.of(1)), number, ...fields));
}

const UNPROVEN = 'the private key does not match the public key stored with it';

describe('a key whose halves do not match', () => {
  it('a CA key whose halves do not match makes the request wait for the Secret, and the issuer not Ready', async () => {
    const harness = new SignerHarness();
    harness.secret = buildSecret({ ...rootTexts(), 'tls.key': createMismatchedKey() });
    await harness.run();
    const event = `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: ${UNPROVEN}`;
    assert.deepEqual([harness.client.events, harness.client.writes], [[event], []]);
    assert.deepEqual(harness.rechecked, [ISSUER]);
    assert.equal(await conditionOf(harness), `False ErrGetKeyPair: Error getting keypair for CA issuer: ${UNPROVEN}`);
  });

  it('a SelfSigned request whose key halves do not match waits for its Secret', async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
    harness.secret = buildSecret({ 'tls.key': createMismatchedKey() }, 'my-key');
    await harness.run();
    const event = `Warning ErrorParsingKey: Failed to parse signing key from secret sandbox/my-key: ${UNPROVEN}`;
    assert.deepEqual([harness.client.events, harness.client.writes], [[event], []]);
  });

  it('a key that fails only when used is reported, counted, and retried when the Secret changes', async () => {
    const harness = new SignerHarness();
    let isDamaged = true;
    const ca = createCaIssuer();
    const decide: typeof ca.decide = (...asked) => (isDamaged ? damage(ca.decide(...asked)) : ca.decide(...asked));
    Object.assign(harness.deps.settings, { handlers: [{ ...ca, decide }] });
    await harness.run();
    const problem = 'signed certificate differs from the linted one: the signature does not verify';
    const event = `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: ${problem}`;
    assert.deepEqual([harness.client.events, harness.client.writes], [[event], []]);
    assert.deepEqual(
      harness.refused.map(({ code, message }) => [code, message]),
      [['invalid', problem]],
    );
    harness.secrets.wakeOnChange({ namespace: 'sandbox', name: 'my-ca' }, '2', 'another', () => undefined);
    assert.deepEqual(harness.requeued, ['jane']);
    isDamaged = false;
    await harness.run();
    assert.equal(harness.outcomes.at(-1)?.result, 'issued');
  });
});

/** Returns the same decision with a key whose signatures are wrong. */
function damage(decision: IssuerDecision): IssuerDecision {
  if (decision.kind !== 'issue' || decision.issuance.kind !== 'local') return decision;
  const { issuance } = decision;
  const key = Object.assign(Object.create(issuance.key), { sign: async () => Buffer.from('wrong') });
  return { ...decision, issuance: { ...issuance, key } };
}
