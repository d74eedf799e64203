// One run for one CSR against a recording client: exactly what is read, written and said for each outcome.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation, PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import { buildIssuer, buildSecret, readCertificates } from '../../support/ca-builder.ts';
import { APPROVED_AT, buildCertificateOf, buildCsr, buildRequest, type CsrOrder } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import { certificateIn, ISSUED, ISSUER, PATCH, REVIEW, SECRET, SignerWorld, type StatusPatch } from './signer-world.ts';

const rootPem = readCertificates('root');

describe('a CSR that is issued', () => {
  it('gets certificate and `ca` annotation in one conditional patch, and one event', async () => {
    const world = new SignerWorld();
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH]);
    const [patch] = world.client.writes;
    const { certificate } = (patch!.body as StatusPatch).status;
    assert.deepEqual(patch?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(rootPem) }, uid: 'uid-of-jane', resourceVersion: '7' },
      status: { certificate },
    });
    assert.ok(certificateIn(patch?.body).verify(new X509Certificate(rootPem).publicKey));
    assert.deepEqual(world.client.events, [ISSUED]);
    assert.deepEqual(world.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'ca' }]);
  });

  it('leaves an audit line before and after the signature, and no key in the log', async () => {
    const world = new SignerWorld();
    await world.run();
    const audit = world.logged.filter(line => line['audit'] === true);
    assert.deepEqual(
      audit.map(({ msg }) => msg),
      ['signing certificate', 'certificate issued'],
    );
    const written = certificateIn(world.client.writes[0]?.body);
    for (const line of audit) {
      assert.equal(BigInt(`0x${String(line['serial'])}`), BigInt(`0x${written.serialNumber}`));
      assert.deepEqual([line['csr'], line['uid'], line['requester']], ['jane', 'uid-of-jane', 'jane']);
    }
    assert.equal(audit[1]?.['sha256'], written.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.ok(!JSON.stringify(world.logged).includes('PRIVATE KEY'));
  });

  it('asks nobody for permission where a ClusterIssuer signs, whose Secret is elsewhere', async () => {
    const world = new SignerWorld();
    world.csr = buildCsr({ signerName: 'clusterissuers.cert-manager.io/my-ca' });
    await world.run();
    assert.deepEqual(world.asked, ['get /api/v1/namespaces/countersign/secrets/my-ca', PATCH]);
  });

  it('needs the permission for a ClusterIssuer, too, where the operator demands it', async () => {
    const world = new SignerWorld({ policy: { authorizeClusterIssuers: true } });
    world.csr = buildCsr({ signerName: 'clusterissuers.cert-manager.io/my-ca' });
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, 'get /api/v1/namespaces/countersign/secrets/my-ca', PATCH]);
  });

  it('is permitted by the literal name `*` too, which is asked for second', async () => {
    const world = new SignerWorld();
    world.mayReference = ['*'];
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, REVIEW, SECRET, PATCH]);
  });

  it('gets no annotation where it is switched off', async () => {
    const world = new SignerWorld({ writeCaAnnotation: false });
    await world.run();
    assert.deepEqual((world.client.writes[0]!.body as StatusPatch).metadata.annotations, {});
    assert.equal(world.client.writes.length, 1);
  });

  it('is told so in other words by a SelfSigned issuer', async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.secret = buildSecret({ 'tls.key': readPki('keys/p256') });
    world.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-ca' } });
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(world.client.events, ['Normal CertificateIssued: Certificate self-signed successfully']);
  });

  it('is written where its name says, whatever characters are in it', async () => {
    const world = new SignerWorld();
    world.csr = buildCsr({ name: 'Jane?x=#1' });
    await world.run();
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/Jane%3Fx%3D%231/status';
    assert.deepEqual(
      world.client.writes.map(call => call.path),
      [`${path}?fieldManager=countersign-signer`],
    );
    await world.run(1);
    assert.ok(world.asked.includes('get /apis/certificates.k8s.io/v1/certificatesigningrequests/Jane%3Fx%3D%231'));
  });
});

interface WaitCase {
  readonly set: (world: SignerWorld) => void;
  readonly asked: readonly string[];
  readonly event: string;
  /** Whether the issuer's readiness is looked at again. */
  readonly rechecks?: boolean;
}

const WAITS: Record<string, WaitCase> = {
  'the approval': {
    set: world => (world.csr = buildCsr({ conditions: [] })),
    asked: [],
    event: 'Normal WaitingApproval: Waiting for the Approved condition before issuing',
  },
  'the Issuer': {
    set: world => (world.issuer = undefined),
    asked: [],
    event: 'Warning IssuerNotFound: Referenced Issuer sandbox/my-ca not found',
  },
  'the type of the Issuer': {
    set: world => (world.issuer = buildIssuer({})),
    asked: [],
    event: 'Warning IssuerTypeMissing: Referenced Issuer sandbox/my-ca is missing type',
  },
  'the readiness of the Issuer': {
    set: world => (world.issuer = buildIssuer(undefined, 'False')),
    asked: [REVIEW],
    event: 'Warning IssuerNotReady: Referenced Issuer sandbox/my-ca does not have a Ready status condition',
  },
  'the Secret': {
    set: world => (world.secret = undefined),
    asked: [REVIEW, SECRET],
    event: 'Warning SecretMissing: Referenced secret sandbox/my-ca not found',
    rechecks: true,
  },
  'a Secret that can be used': {
    set: world => (world.secret = buildSecret({})),
    asked: [REVIEW, SECRET],
    event: `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: no private key data for "tls.key" in secret 'sandbox/my-ca'`,
    rechecks: true,
  },
};

describe('a CSR that waits', () => {
  for (const [what, { set, asked, event, rechecks = false }] of Object.entries(WAITS)) {
    it(`for ${what} is not written to, and is told so once`, async () => {
      const world = new SignerWorld();
      set(world);
      await world.run();
      assert.deepEqual(world.asked, asked);
      await world.run();
      assert.deepEqual(world.client.writes, []);
      assert.deepEqual(world.client.events, [event]);
      assert.equal(world.rechecked.length, rechecks ? 2 : 0);
      assert.deepEqual(world.outcomes[0]?.reason, event.split(/[ :]/)[1]);
    });
  }

  it('for a Secret is looked at again when that changes', async () => {
    const world = new SignerWorld();
    world.secret = undefined;
    await world.run();
    assert.deepEqual(world.requeued, []);
    world.secrets.wakeOnChange({ namespace: 'sandbox', name: 'my-ca' }, 'a new version', 'somebody', () => {});
    assert.deepEqual(world.requeued, ['jane']);
  });
});

describe('a CSR that fails', () => {
  const rows = {
    'for want of permission': {
      mayReference: [],
      asked: [REVIEW, REVIEW, ISSUER, PATCH],
      csr: {},
      event: 'DeniedReference: Requester may not reference Namespaced Issuer sandbox/my-ca',
    },
    'for its duration, before any Secret is read': {
      mayReference: ['my-ca'],
      asked: [REVIEW, ISSUER, PATCH],
      csr: { annotations: { [REQUEST_DURATION]: '1m' } },
      event: 'InvalidDuration: CertificateSigningRequest minimum allowed duration is 10m0s, requested 1m0s',
    },
    'for its usages': {
      mayReference: ['my-ca'],
      asked: [REVIEW, SECRET, ISSUER, SECRET, PATCH],
      csr: { usages: ['nonsense'] },
      event: 'SigningError: Error generating certificate template: unknown key usages: [nonsense]',
    },
  };
  for (const [why, { mayReference, asked, csr, event }] of Object.entries(rows)) {
    it(`${why} keeps its conditions and gets one more, with its times, and one event`, async () => {
      const world = new SignerWorld();
      world.csr = buildCsr(csr);
      world.mayReference = mayReference;
      await world.run();
      assert.deepEqual(world.asked, asked);
      const [reason, message] = event.split(/: (.*)/);
      const times = { lastTransitionTime: '2026-11-24T12:00:00Z', lastUpdateTime: '2026-11-24T12:00:00Z' };
      const approved = {
        type: 'Approved',
        status: 'True',
        reason: 'Test',
        lastUpdateTime: APPROVED_AT,
        lastTransitionTime: APPROVED_AT,
      };
      assert.deepEqual(world.client.writes[0]?.body, {
        metadata: { uid: 'uid-of-jane', resourceVersion: '7' },
        status: { conditions: [approved, { type: 'Failed', status: 'True', reason, message, ...times }] },
      });
      assert.deepEqual(world.client.events, [`Warning ${event}`]);
      assert.equal(world.outcomes[0]?.result, 'failed');
    });
  }
});

describe('nothing terminal is decided on what is remembered:', () => {
  function selfSigned(): SignerWorld {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-ca' } });
    world.secret = buildSecret({ 'tls.key': readPki('keys/p256-root') });
    return world;
  }

  it('a SelfSigned CSR is signed whose Secret got the right key a moment ago', async () => {
    const world = selfSigned();
    await world.secrets.read({ namespace: 'sandbox', name: 'my-ca' });
    world.secret = buildSecret({ 'tls.key': readPki('keys/p256') }, 'my-ca', '2');
    await world.run();
    assert.deepEqual(world.asked, [SECRET, REVIEW, ISSUER, SECRET, PATCH]);
    assert.equal(world.outcomes[0]?.result, 'issued');
  });

  it('a CSR is signed by the CA of an issuer that was SelfSigned a moment ago', async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.freshIssuer = buildIssuer();
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, ISSUER, SECRET, PATCH]);
    assert.equal(world.outcomes[0]?.result, 'issued');
  });

  it('a CSR waits whose requester may not reference an issuer that was deleted a moment ago', async () => {
    const world = new SignerWorld();
    world.mayReference = [];
    world.freshIssuer = null;
    await world.run();
    assert.deepEqual(world.client.writes, []);
    assert.equal(world.outcomes[0]?.reason, 'IssuerNotFound');
  });

  it('a CSR whose key is not in the Secret fails once that was read again', async () => {
    const world = selfSigned();
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, ISSUER, SECRET, PATCH]);
    assert.equal(world.outcomes[0]?.reason, 'ErrorKeyMatch');
  });

  it('a CSR waits when the second look finds no Secret', async () => {
    const world = selfSigned();
    await world.secrets.read({ namespace: 'sandbox', name: 'my-ca' });
    world.secret = undefined;
    await world.run();
    assert.deepEqual(world.client.writes, []);
    assert.equal(world.outcomes[0]?.reason, 'SecretNotFound');
  });
});

describe("a CSR that is none of the signer's business", () => {
  const orders: Record<string, CsrOrder> = {
    'of another signer': { signerName: 'example.com/signer' },
    'that was denied': { conditions: ['Denied'] },
    'that failed': { conditions: ['Approved', 'Failed'] },
    'that is being deleted': { deleted: true },
    'with the certificate of another': { certificate: buildCertificateOf('another') },
    'with our certificate and its annotation': {
      certificate: buildCertificateOf(),
      annotations: { [CA]: 'x' },
    },
  };
  for (const [which, order] of Object.entries(orders)) {
    it(`${which} causes no call at all`, async () => {
      const world = new SignerWorld();
      world.csr = buildCsr(order);
      await world.run();
      assert.deepEqual(world.client.calls, []);
      assert.deepEqual(world.outcomes, []);
    });
  }

  it('because its Issuer is of another type causes no call at all', async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ vault: {} });
    await world.run();
    assert.deepEqual(world.client.calls, []);
  });

  it('because it is gone causes no call at all', async () => {
    const world = new SignerWorld();
    Object.assign(world.deps.view, { findRecord: () => undefined });
    await world.run();
    assert.deepEqual(world.client.calls, []);
  });
});
