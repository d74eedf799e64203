// Certificates issued by a remote, with an issuer type that exists only here: the result is compared with the request
// before it is written, and other answers have the same effect as for local issuers.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation } from '@countersign/common/annotations.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { sequence, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import type { IssuerTypeHandler, RemoteAnswer } from '@countersign/signer/issuers/issuer-type.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCertificate, type CertificateParts, createHolder, nameOf } from '../../support/certificate-builder.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { readRequest } from '../../support/vectors.ts';
import { REVIEW } from './reconcile-harness.ts';
import { isStatusPatch, PATCH, SignerHarness } from './signer-harness.ts';

const namesOf = (...names: readonly string[]) =>
  sequence(...names.map(name => tlv(GENERAL_NAME.dnsName, Buffer.from(name))));
const extensionOf = (...names: readonly string[]) => ({
  oid: EXTENSION.subjectAltName,
  critical: true,
  value: namesOf(...names),
});

const authority = createHolder('remote CA');
const authorityPem = buildCertificate(authority);
const key = createPublicKey(readPki('keys/p256'));

/** Returns the requested leaf, or one that differs in these parts. */
function leafWith(parts: CertificateParts = {}, publicKey = key): string {
  const subject = { name: '', publicKey, privateKey: authority.privateKey };
  const requestedParts = {
    subject: sequence(),
    basicConstraints: sequence(),
    extensions: [extensionOf('a.example', 'b.example')],
  };
  return buildCertificate(subject, authority, { ...requestedParts, ends: '270222120000Z', ...parts });
}

/** A signer whose only issuer type calls `submit`. */
function harnessWith(submit: () => Promise<RemoteAnswer> | RemoteAnswer, options = {}): SignerHarness {
  const harness = new SignerHarness(options);
  const handler: IssuerTypeHandler = {
    type: 'vault',
    load: async () => undefined,
    decide({ requested }) {
      if (!requested.ok) return { kind: 'fail', reason: 'SigningError', message: 'bad request' };
      return {
        kind: 'issue',
        issuance: { kind: 'remote', requested: requested.value, submit: async () => submit() },
      };
    },
    topOf: () => undefined,
    readiness: () => ({ condition: { status: 'True', reason: 'IsReady', message: '' }, events: [] }),
    reject: () => undefined,
  };
  Object.assign(harness.deps.settings, { handlers: [handler] });
  harness.issuer = buildIssuer({ vault: {} });
  harness.csr = buildCsr({ request: buildRequest([extensionOf('a.example', 'b.example')]) });
  return harness;
}

/** Returns the message of the last condition written. */
function conditionIn({ body }: RecordedCall): string | undefined {
  return (body as { status: { conditions: { message: string }[] } }).status.conditions.at(-1)?.message;
}

const issued = (leaf: string): RemoteAnswer => ({ kind: 'issued', chainPem: leaf + authorityPem });

describe('a certificate that a remote issues', () => {
  it('a remotely issued certificate is written with its chain and CA, one event and two audit lines', async () => {
    const leaf = leafWith();
    const harness = harnessWith(() => issued(leaf));
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, PATCH]);
    const [patch] = harness.client.writes;
    assert.deepEqual(patch?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(authorityPem) }, uid: 'uid-of-jane', resourceVersion: '7' },
      status: { certificate: Buffer.from(leaf + authorityPem).toString('base64') },
    });
    assert.deepEqual(harness.client.events, ['Normal CertificateIssued: Certificate signed successfully']);
    assert.deepEqual(harness.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'vault' }]);
    const audit = harness.logged.filter(line => line['audit'] === true);
    assert.deepEqual(
      audit.map(({ msg, serial, differences }) => [msg, serial, differences]),
      [
        ['requesting certificate', undefined, undefined],
        ['certificate issued', '01', undefined],
      ],
    );
  });

  it('a certificate without any extension is written, and an event says what it lacks', async () => {
    const harness = harnessWith(() => issued(leafWith({ basicConstraints: 'absent', extensions: [] })));
    await harness.run();
    assert.deepEqual(harness.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'vault' }]);
    assert.match(harness.client.events.join(), /CertificateDiffers: .*a\.example/);
  });

  const other = createHolder('other');
  for (const [what, leaf, problem] of [
    [
      'for a different key',
      leafWith({}, other.publicKey),
      'the public key of the certificate differs from the requested one',
    ],
    [
      'that is a CA',
      leafWith({ basicConstraints: sequence(Buffer.from('0101ff', 'hex')) }),
      'the certificate is a CA certificate, which was not requested',
    ],
    [
      'with a name that was not requested',
      leafWith({ extensions: [extensionOf('a.example', 'c.example')] }),
      'the certificate has 1 names that were not requested',
    ],
    [
      'with a different subject',
      leafWith({ subject: nameOf('root') }),
      'the subject of the certificate differs from the requested one',
    ],
    ['that cannot be parsed', 'x', 'error decoding certificate PEM block: no valid certificates found'],
  ] as const) {
    it(`a remote certificate ${what} is never written and fails the request`, async () => {
      const harness = harnessWith(() => ({ kind: 'issued', chainPem: leaf }));
      await harness.run();
      const message = `Error signing certificate: ${problem}`;
      assert.deepEqual(harness.client.writes.map(conditionIn), [message]);
      assert.deepEqual(harness.client.events, [`Warning ErrorSigning: ${message}`]);
    });
  }

  it('a request without proof of possession is not sent to the remote', async () => {
    const harness = harnessWith(() => assert.fail('the remote is asked'));
    harness.csr = buildCsr({ request: readRequest('bad-signature') });
    await harness.run();
    const message = 'Error generating certificate template: the signature of the certificate request is not valid';
    assert.deepEqual(harness.client.writes.map(conditionIn), [message]);
  });

  it('a remote certificate that exceeds the maximum duration is never written', async () => {
    const harness = harnessWith(() => issued(leafWith()), { policy: { maxDuration: 3_600_000_000_000n } });
    await harness.run();
    assert.deepEqual(harness.client.events, [
      'Warning ErrorSigning: Error signing certificate: the certificate is valid for longer than the maximum duration',
    ]);
  });

  it('a remote certificate with harmless differences is written, and the log lists them', async () => {
    const harness = harnessWith(() =>
      issued(leafWith({ extensions: [extensionOf('a.example')], ends: '270101000000Z' })),
    );
    await harness.run();
    assert.equal(harness.outcomes[0]?.result, 'issued');
    const line = harness.logged.find(({ msg }) => msg === 'certificate issued');
    const differences = ['missing: dnsNames b.example', 'it expires 2027-01-01T00:00:00.000Z'];
    assert.deepEqual(line?.['differences'], differences);
    const message = `The issued certificate differs from the request: ${differences.join('; ')}`;
    assert.ok(harness.client.events.includes(`Warning CertificateDiffers: ${message}`));
  });

  it('a remote certificate is discarded if leadership was lost meanwhile', async () => {
    const harness = harnessWith(() => {
      harness.isLeading = false;
      return issued(leafWith());
    });
    await harness.run();
    assert.deepEqual(harness.client.writes, []);
  });
});

describe('the answer of a remote', () => {
  it('a remote that needs time makes the request wait and requeues it', async () => {
    const message = 'Waiting on the remote';
    const harness = harnessWith(() => ({ kind: 'wait', reason: 'IssuerNotReady', message, requeueAfterMs: 5_000 }));
    await harness.run();
    assert.deepEqual([harness.client.writes, harness.client.events], [[], [`Warning IssuerNotReady: ${message}`]]);
    assert.deepEqual(harness.requeueDelays, [5_000]);
  });

  it('a remote that refuses permanently fails the request', async () => {
    const harness = harnessWith(() => ({ kind: 'fail', reason: 'SigningError', message: 'no' }));
    await harness.run();
    assert.equal(harness.client.writes.filter(isStatusPatch).length, 1);
    assert.deepEqual(harness.outcomes[0]?.result, 'failed');
  });

  it('a remote that does not answer is asked again', async () => {
    const down = new RetryableError('down', { code: 'network' });
    const harness = harnessWith(() => {
      throw down;
    });
    await assert.rejects(harness.run(), down);
    assert.deepEqual(harness.client.writes, []);
  });
});
