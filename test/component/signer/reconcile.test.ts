// Reconciling one CSR with a recording client: exactly what is read, written and reported for each outcome.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation, PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import { buildIssuer, buildSecret, readCertificates } from '../../support/ca-builder.ts';
import { APPROVED_AT, buildCertificateOf, buildCsr, buildRequest, type CsrOrder } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import { ISSUER, REVIEW, SECRET } from './reconcile-harness.ts';
import { certificateIn, ISSUED, PATCH, SignerHarness, type StatusPatch } from './signer-harness.ts';

const rootPem = readCertificates('root');

describe('a CSR that is issued', () => {
  it('an issued CSR gets certificate and `ca` annotation in one conditional patch, and one event', async () => {
    const harness = new SignerHarness();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH]);
    const [patch] = harness.client.writes;
    const { certificate } = (patch!.body as StatusPatch).status;
    assert.deepEqual(patch?.body, {
      metadata: { annotations: { [CA]: encodeCaAnnotation(rootPem) }, uid: 'uid-of-jane', resourceVersion: '7' },
      status: { certificate },
    });
    assert.ok(certificateIn(patch?.body).verify(new X509Certificate(rootPem).publicKey));
    assert.deepEqual(harness.client.events, [ISSUED]);
    assert.deepEqual(harness.outcomes, [{ result: 'issued', reason: 'CertificateIssued', issuerType: 'ca' }]);
  });

  it('a signature has an audit line before and after it, and no key in the log', async () => {
    const harness = new SignerHarness();
    await harness.run();
    const audit = harness.logged.filter(line => line['audit'] === true);
    assert.deepEqual(
      audit.map(({ msg }) => msg),
      ['signing certificate', 'certificate issued'],
    );
    const written = certificateIn(harness.client.writes[0]?.body);
    for (const line of audit) {
      assert.equal(BigInt(`0x${String(line['serial'])}`), BigInt(`0x${written.serialNumber}`));
      assert.deepEqual([line['csr'], line['uid'], line['requester']], ['jane', 'uid-of-jane', 'jane']);
    }
    assert.equal(audit[1]?.['sha256'], written.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.ok(!JSON.stringify(harness.logged).includes('PRIVATE KEY'));
  });

  it('a CSR for a ClusterIssuer needs no permission, and the Secret is in the cluster resource namespace', async () => {
    const harness = new SignerHarness();
    harness.csr = buildCsr({ signerName: 'clusterissuers.cert-manager.io/my-ca' });
    await harness.run();
    assert.deepEqual(harness.asked, ['get /api/v1/namespaces/countersign/secrets/my-ca', PATCH]);
  });

  it('a CSR for a ClusterIssuer needs permission with authorizeClusterIssuers', async () => {
    const harness = new SignerHarness({ policy: { authorizeClusterIssuers: true } });
    harness.csr = buildCsr({ signerName: 'clusterissuers.cert-manager.io/my-ca' });
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, 'get /api/v1/namespaces/countersign/secrets/my-ca', PATCH]);
  });

  it('permission for the literal name `*` is checked second and suffices', async () => {
    const harness = new SignerHarness();
    harness.mayReference = ['*'];
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, REVIEW, SECRET, PATCH]);
  });

  it('an issued CSR gets no annotation if that is disabled', async () => {
    const harness = new SignerHarness({ writeCaAnnotation: false });
    await harness.run();
    assert.deepEqual((harness.client.writes[0]!.body as StatusPatch).metadata.annotations, {});
    assert.equal(harness.client.writes.length, 1);
  });

  it('a CSR issued by a SelfSigned issuer gets the event text for that type', async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.secret = buildSecret({ 'tls.key': readPki('keys/p256') });
    harness.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-ca' } });
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(harness.client.events, ['Normal CertificateIssued: Certificate self-signed successfully']);
  });

  it('a CSR name with special characters is escaped in paths', async () => {
    const harness = new SignerHarness();
    harness.csr = buildCsr({ name: 'Jane?x=#1' });
    await harness.run();
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/Jane%3Fx%3D%231/status';
    assert.deepEqual(
      harness.client.writes.map(call => call.path),
      [`${path}?fieldManager=countersign-signer`],
    );
    await harness.run(1);
    assert.ok(harness.asked.includes('get /apis/certificates.k8s.io/v1/certificatesigningrequests/Jane%3Fx%3D%231'));
  });
});

interface WaitCase {
  readonly set: (harness: SignerHarness) => void;
  readonly asked: readonly string[];
  readonly event: string;
  /** Whether the issuer's readiness is rechecked. */
  readonly rechecks?: boolean;
}

const WAITS: Record<string, WaitCase> = {
  'the approval': {
    set: harness => {
      harness.csr = buildCsr({ conditions: [] });
      harness.receivedAgoMs = 2_000;
    },
    asked: [],
    event: 'Normal WaitingApproval: Waiting for the Approved condition before issuing',
  },
  'the Issuer': {
    set: harness => (harness.issuer = undefined),
    asked: [],
    event: 'Warning IssuerNotFound: Referenced Issuer sandbox/my-ca not found',
  },
  'the type of the Issuer': {
    set: harness => (harness.issuer = buildIssuer({})),
    asked: [],
    event: 'Warning IssuerTypeMissing: Referenced Issuer sandbox/my-ca is missing type',
  },
  'the readiness of the Issuer': {
    set: harness => (harness.issuer = buildIssuer(undefined, 'False')),
    asked: [REVIEW],
    event: 'Warning IssuerNotReady: Referenced Issuer sandbox/my-ca does not have a Ready status condition',
  },
  'the Secret': {
    set: harness => (harness.secret = undefined),
    asked: [REVIEW, SECRET],
    event: 'Warning SecretMissing: Referenced secret sandbox/my-ca not found',
    rechecks: true,
  },
  'a Secret that can be used': {
    set: harness => (harness.secret = buildSecret({})),
    asked: [REVIEW, SECRET],
    event: `Warning SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: no private key data for "tls.key" in secret 'sandbox/my-ca'`,
    rechecks: true,
  },
};

describe('a CSR that waits', () => {
  for (const [what, { set, asked, event, rechecks = false }] of Object.entries(WAITS)) {
    it(`a CSR that waits for ${what} is not written to and gets one event`, async () => {
      const harness = new SignerHarness();
      set(harness);
      await harness.run();
      assert.deepEqual(harness.asked, asked);
      await harness.run();
      assert.deepEqual(harness.client.writes, []);
      assert.deepEqual(harness.client.events, [event]);
      assert.equal(harness.rechecked.length, rechecks ? 2 : 0);
      assert.deepEqual(harness.outcomes[0]?.reason, event.split(/[ :]/)[1]);
    });
  }

  it('a CSR that waits for the approval gets its event after two seconds, so that an approver costs no write', async () => {
    const harness = new SignerHarness();
    harness.csr = buildCsr({ conditions: [] });
    harness.receivedAgoMs = 1_200;
    await harness.run();
    assert.deepEqual([harness.client.events, harness.requeueDelays], [[], [800]]);
  });

  it('a CSR that waits for a Secret is requeued when the Secret changes', async () => {
    const harness = new SignerHarness();
    harness.secret = undefined;
    await harness.run();
    assert.deepEqual(harness.requeued, []);
    harness.secrets.wakeOnChange({ namespace: 'sandbox', name: 'my-ca' }, 'a new version', 'somebody', () => {});
    assert.deepEqual(harness.requeued, ['jane']);
  });
});

describe('a CSR that fails', () => {
  const rows = {
    'without permission': {
      mayReference: [],
      asked: [REVIEW, REVIEW, ISSUER, PATCH],
      csr: {},
      event: 'DeniedReference: Requester may not reference Namespaced Issuer sandbox/my-ca',
    },
    'with an invalid duration, before any Secret is read,': {
      mayReference: ['my-ca'],
      asked: [REVIEW, ISSUER, PATCH],
      csr: { annotations: { [REQUEST_DURATION]: '1m' } },
      event: 'InvalidDuration: CertificateSigningRequest minimum allowed duration is 10m0s, requested 1m0s',
    },
    'with invalid usages': {
      mayReference: ['my-ca'],
      asked: [REVIEW, SECRET, ISSUER, SECRET, PATCH],
      csr: { usages: ['nonsense'] },
      event: 'SigningError: Error generating certificate template: unknown key usages: [nonsense]',
    },
  };
  for (const [why, { mayReference, asked, csr, event }] of Object.entries(rows)) {
    it(`a CSR ${why} keeps its conditions and gets a Failed condition and one event`, async () => {
      const harness = new SignerHarness();
      harness.csr = buildCsr(csr);
      harness.mayReference = mayReference;
      await harness.run();
      assert.deepEqual(harness.asked, asked);
      const [reason, message] = event.split(/: (.*)/);
      const times = { lastTransitionTime: '2026-11-24T12:00:00Z', lastUpdateTime: '2026-11-24T12:00:00Z' };
      const approved = {
        type: 'Approved',
        status: 'True',
        reason: 'Test',
        lastUpdateTime: APPROVED_AT,
        lastTransitionTime: APPROVED_AT,
      };
      assert.deepEqual(harness.client.writes[0]?.body, {
        metadata: { uid: 'uid-of-jane', resourceVersion: '7' },
        status: { conditions: [approved, { type: 'Failed', status: 'True', reason, message, ...times }] },
      });
      assert.deepEqual(harness.client.events, [`Warning ${event}`]);
      assert.equal(harness.outcomes[0]?.result, 'failed');
    });
  }
});

describe('failing only on fresh data', () => {
  function selfSigned(): SignerHarness {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-ca' } });
    harness.secret = buildSecret({ 'tls.key': readPki('keys/p256-root') });
    return harness;
  }

  it('a SelfSigned CSR is signed if its Secret got the right key just before', async () => {
    const harness = selfSigned();
    await harness.secrets.read({ namespace: 'sandbox', name: 'my-ca' });
    harness.secret = buildSecret({ 'tls.key': readPki('keys/p256') }, 'my-ca', '2');
    await harness.run();
    assert.deepEqual(harness.asked, [SECRET, REVIEW, ISSUER, SECRET, PATCH]);
    assert.equal(harness.outcomes[0]?.result, 'issued');
  });

  it('a CSR is signed by the CA of an issuer that was SelfSigned just before', async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.freshIssuer = buildIssuer();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, ISSUER, SECRET, PATCH]);
    assert.equal(harness.outcomes[0]?.result, 'issued');
  });

  it('a CSR without permission waits if its issuer was deleted just before', async () => {
    const harness = new SignerHarness();
    harness.mayReference = [];
    harness.freshIssuer = null;
    await harness.run();
    assert.deepEqual(harness.client.writes, []);
    assert.equal(harness.outcomes[0]?.reason, 'IssuerNotFound');
  });

  it('a CSR whose key is not in the Secret fails after a second read', async () => {
    const harness = selfSigned();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, ISSUER, SECRET, PATCH]);
    assert.equal(harness.outcomes[0]?.reason, 'ErrorKeyMatch');
  });

  it('a CSR waits if the second read finds no Secret', async () => {
    const harness = selfSigned();
    await harness.secrets.read({ namespace: 'sandbox', name: 'my-ca' });
    harness.secret = undefined;
    await harness.run();
    assert.deepEqual(harness.client.writes, []);
    assert.equal(harness.outcomes[0]?.reason, 'SecretNotFound');
  });
});

describe('an ignored CSR', () => {
  const orders: Record<string, CsrOrder> = {
    'of another signer': { signerName: 'example.com/signer' },
    'that was denied': { conditions: ['Denied'] },
    'that is Failed': { conditions: ['Approved', 'Failed'] },
    'that is being deleted': { deleted: true },
    'with a certificate from another signer': { certificate: buildCertificateOf('another') },
    'with our certificate and its annotation': {
      certificate: buildCertificateOf(),
      annotations: { [CA]: 'x' },
    },
  };
  for (const [which, order] of Object.entries(orders)) {
    it(`a CSR ${which} causes no API call`, async () => {
      const harness = new SignerHarness();
      harness.csr = buildCsr(order);
      await harness.run();
      assert.deepEqual(harness.client.calls, []);
      assert.deepEqual(harness.outcomes, []);
    });
  }

  it('a CSR for an Issuer of another type causes no API call', async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ vault: {} });
    await harness.run();
    assert.deepEqual(harness.client.calls, []);
  });

  it('a deleted CSR causes no API call', async () => {
    const harness = new SignerHarness();
    Object.assign(harness.deps.view, { findRecord: () => undefined });
    await harness.run();
    assert.deepEqual(harness.client.calls, []);
  });
});
