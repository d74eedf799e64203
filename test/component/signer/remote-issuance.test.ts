// Certificates that somebody else issues, by an issuer type that exists here alone: what comes back is held to what was asked before
// it is written, and whatever else the remote answers becomes what it would be for an issuer that signs here.

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
import { ISSUED, isStatusPatch, PATCH, REVIEW, SignerWorld } from './signer-world.ts';

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

/** The leaf that was asked for, or one that differs in these parts. */
function leafWith(parts: CertificateParts = {}, publicKey = key): string {
  const subject = { name: '', publicKey, privateKey: authority.privateKey };
  const asked = {
    subject: sequence(),
    basicConstraints: sequence(),
    extensions: [extensionOf('a.example', 'b.example')],
  };
  return buildCertificate(subject, authority, { ...asked, ends: '270222120000Z', ...parts });
}

/** A signer whose only issuer is of a type that has `submit` issue. */
function worldWith(submit: () => Promise<RemoteAnswer> | RemoteAnswer, options = {}): SignerWorld {
  const world = new SignerWorld(options);
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
  Object.assign(world.deps.settings, { handlers: [handler] });
  world.issuer = buildIssuer({ vault: {} });
  world.csr = buildCsr({ request: buildRequest([extensionOf('a.example', 'b.example')]) });
  return world;
}

/** The message of the last condition that is written. */
function conditionIn({ body }: RecordedCall): string | undefined {
  return (body as { status: { conditions: { message: string }[] } }).status.conditions.at(-1)?.message;
}

const issued = (leaf: string): RemoteAnswer => ({ kind: 'issued', chainPem: leaf + authorityPem });

describe('a certificate that a remote issues', () => {
  it('is written with its chain and its CA, and gets one event and two audit lines', async () => {
    const leaf = leafWith();
    const world = worldWith(() => issued(leaf));
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, PATCH]);
    const [patch] = world.client.writes;
    assert.deepEqual(patch?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(authorityPem) }, uid: 'uid-of-jane', resourceVersion: '7' },
      status: { certificate: Buffer.from(leaf + authorityPem).toString('base64') },
    });
    assert.deepEqual(world.client.events, [ISSUED]);
    assert.deepEqual(world.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'vault' }]);
    const audit = world.logged.filter(line => line['audit'] === true);
    assert.deepEqual(
      audit.map(({ msg, serial, differences }) => [msg, serial, differences]),
      [
        ['requesting certificate', undefined, undefined],
        ['certificate issued', '01', undefined],
      ],
    );
  });

  const other = createHolder('other');
  for (const [what, leaf, problem] of [
    ['for another key', leafWith({}, other.publicKey), 'the public key of the certificate differs from the requested one'],
    [
      'that is a CA',
      leafWith({ basicConstraints: sequence(Buffer.from('0101ff', 'hex')) }),
      'the certificate is a CA certificate, which was not requested',
    ],
    [
      'with a name that was not asked for',
      leafWith({ extensions: [extensionOf('a.example', 'c.example')] }),
      'the certificate has 1 names that were not requested',
    ],
    [
      'for another subject',
      leafWith({ subject: nameOf('root') }),
      'the subject of the certificate differs from the requested one',
    ],
    ['that is no certificate', 'x', 'error decoding certificate PEM block: no valid certificates found'],
  ] as const) {
    it(`${what} is never written: the request fails`, async () => {
      const world = worldWith(() => ({ kind: 'issued', chainPem: leaf }));
      await world.run();
      const message = `Error signing certificate: ${problem}`;
      assert.deepEqual(world.client.writes.map(conditionIn), [message]);
      assert.deepEqual(world.client.events, [`Warning SigningError: ${message}`]);
    });
  }

  it('is not asked for when the requester has not shown that the key is theirs', async () => {
    const world = worldWith(() => assert.fail('the remote is asked'));
    world.csr = buildCsr({ request: readRequest('bad-signature') });
    await world.run();
    const message = 'Error generating certificate template: the signature of the certificate request is not valid';
    assert.deepEqual(world.client.writes.map(conditionIn), [message]);
  });

  it('that lasts longer than the operator allows is never written', async () => {
    const world = worldWith(() => issued(leafWith()), { policy: { maxDuration: 3_600_000_000_000n } });
    await world.run();
    assert.deepEqual(world.client.events, [
      'Warning SigningError: Error signing certificate: the certificate is valid for longer than the maximum duration',
    ]);
  });

  it('that is merely different is written, and the log has the differences', async () => {
    const world = worldWith(() => issued(leafWith({ extensions: [extensionOf('a.example')], ends: '270101000000Z' })));
    await world.run();
    assert.equal(world.outcomes[0]?.result, 'issued');
    const line = world.logged.find(({ msg }) => msg === 'certificate issued');
    assert.deepEqual(line?.['differences'], ['1 names are missing', 'it expires 2027-01-01T00:00:00.000Z']);
  });

  it('is dropped when leadership was lost while the remote worked', async () => {
    const world = worldWith(() => {
      world.isLeading = false;
      return issued(leafWith());
    });
    await world.run();
    assert.deepEqual(world.client.writes, []);
  });
});

describe('a remote', () => {
  it('that needs time makes the request wait, and it is looked at again', async () => {
    const message = 'Waiting on the remote';
    const world = worldWith(() => ({ kind: 'wait', reason: 'IssuerNotReady', message, lookAgainAfterMs: 5_000 }));
    await world.run();
    assert.deepEqual([world.client.writes, world.client.events], [[], [`Warning IssuerNotReady: ${message}`]]);
    assert.deepEqual(world.looksAgain, [5_000]);
  });

  it('that refuses for good fails the request', async () => {
    const world = worldWith(() => ({ kind: 'fail', reason: 'SigningError', message: 'no' }));
    await world.run();
    assert.equal(world.client.writes.filter(isStatusPatch).length, 1);
    assert.deepEqual(world.outcomes[0]?.result, 'failed');
  });

  it('that does not answer is asked again', async () => {
    const down = new RetryableError('down', { code: 'network' });
    const world = worldWith(() => {
      throw down;
    });
    await assert.rejects(world.run(), down);
    assert.deepEqual(world.client.writes, []);
  });
});
