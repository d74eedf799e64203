// What the signer keeps of a CSR, and how long it says that a certificate took.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CA, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
import { MAX_REQUEST_LENGTH } from '@countersign/common/x509/pkcs10.ts';
import { millisecondsSinceApproval, toCsrRecord } from '@countersign/signer/requests/csr/csr-record.ts';
import { APPROVED_AT, buildCertificateOf, buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import { requestErrors } from '../../support/request-errors.ts';

const POLICY = { writeCaAnnotation: true };

const OURS = buildCertificateOf();

describe('toCsrRecord', () => {
  const states: Record<string, readonly [CsrOrder, string]> = {
    'a CSR without a judgement': [{ conditions: [] }, 'open'],
    'an approved CSR': [{}, 'open'],
    'a CSR of a ClusterIssuer': [{ signerName: 'clusterissuers.cert-manager.io/x' }, 'open'],
    'a CSR of another signer': [{ signerName: 'kubernetes.io/kubelet-serving' }, 'done'],
    'a CSR whose signer name no issuer can match': [{ signerName: 'issuers.cert-manager.io/x' }, 'open'],
    'a denied CSR whose signer name no issuer can match': [
      { signerName: 'issuers.cert-manager.io/x', conditions: ['Denied'] },
      'done',
    ],
    'a CSR whose signer name no issuer can match, signed by somebody else': [
      { signerName: 'issuers.cert-manager.io/x', certificate: buildCertificateOf('another') },
      'done',
    ],
    'a denied CSR': [{ conditions: ['Denied'] }, 'done'],
    'a failed CSR': [{ conditions: ['Approved', 'Failed'] }, 'done'],
    'a CSR that is being deleted': [{ deleted: true }, 'done'],
    'a CSR that somebody else signed': [{ certificate: buildCertificateOf('another') }, 'done'],
    'a CSR with what is no certificate': [{ certificate: 'Zm9v' }, 'done'],
    'a CSR that we signed and annotated': [{ certificate: OURS, annotations: { [CA]: 'x' } }, 'done'],
    'a CSR that we signed without annotation': [{ certificate: OURS }, 'repair'],
    'a CSR that we signed and that failed': [{ certificate: OURS, conditions: ['Failed'] }, 'done'],
  };
  for (const [which, [order, state]] of Object.entries(states)) {
    it(`takes ${which} for ${state}`, () => assert.equal(toCsrRecord(buildCsr(order), 0, POLICY).state, state));
  }

  it('takes a CSR that we signed for done, where no annotation is written', () => {
    const csr = buildCsr({ certificate: OURS });
    assert.equal(toCsrRecord(csr, 0, { writeCaAnnotation: false }).state, 'done');
  });

  it('keeps an approved CSR whole, but for its managed fields', () => {
    const { metadata, spec, status } = buildCsr();
    const raw = {
      apiVersion: 'certificates.k8s.io/v1',
      metadata: { ...metadata, labels: { a: 'b' }, managedFields: [{ manager: 'kubectl' }] },
      spec,
      status,
    };
    assert.deepEqual(toCsrRecord(raw, 5, POLICY), { metadata, spec, status, state: 'open', receivedAt: 5 });
  });

  it('keeps of one that is not approved what names its issuer', () => {
    const { metadata, spec } = buildCsr();
    const kept = { metadata, spec: { signerName: spec.signerName, request: '' }, state: 'open', receivedAt: 5 };
    assert.deepEqual(toCsrRecord({ metadata, spec }, 5, POLICY), kept);
  });

  it('keeps no annotation of others, and of all texts no more than can be of use', () => {
    const annotations = { other: 'x'.repeat(9_000), [REQUEST_DURATION]: 'é'.repeat(9_000), [REQUEST_IS_CA]: 'true' };
    const csr = buildCsr({ annotations, request: 'A'.repeat(900_000) });
    const { metadata, spec, ...rest } = toCsrRecord(csr, 0, POLICY);
    assert.deepEqual(metadata.annotations, { [REQUEST_DURATION]: 'é'.repeat(1_000), [REQUEST_IS_CA]: 'true' });
    // It is as much in the wrong as it was.
    const whole = requestErrors(csr, NO_DEMANDS).map(({ reason }) => reason);
    assert.deepEqual(
      requestErrors({ metadata, spec, ...rest }, NO_DEMANDS).map(({ reason }) => reason),
      whole,
    );
    assert.ok(spec.request.length < 74_000);
  });

  it('keeps a request as long as may be whole, and a longer one too long', () => {
    const kept = (length: number) => toCsrRecord(buildCsr({ request: 'A'.repeat(length) }), 0, POLICY).spec.request;
    assert.equal(kept(MAX_REQUEST_LENGTH).length, MAX_REQUEST_LENGTH);
    assert.ok(kept(MAX_REQUEST_LENGTH + 9).length > MAX_REQUEST_LENGTH);
  });

  it('refuses a name that would fill the memory, whosever it is', () => {
    const named = (length: number) => buildCsr({ name: 'x'.repeat(length), conditions: ['Denied'] });
    assert.equal(toCsrRecord(named(253), 0, POLICY).state, 'done');
    const message = 'The name is 254 characters long; the maximum is 253';
    assert.throws(() => toCsrRecord(named(254), 0, POLICY), { message });
  });

  it('keeps next to nothing of one that is done', () => {
    assert.deepEqual(toCsrRecord(buildCsr({ conditions: ['Denied'] }), 5, POLICY), {
      metadata: { name: 'jane', uid: 'uid-of-jane', resourceVersion: '7' },
      spec: { signerName: '', request: '' },
      state: 'done',
      receivedAt: 5,
    });
  });
});

describe('the time since the approval', () => {
  const approvedAt = Date.parse(APPROVED_AT);
  const rows: readonly (readonly [string, number, number, number])[] = [
    ['counts from the receipt of an approval that came in live', 900, 1_400, 500],
    ['counts from the receipt up to two seconds of clock difference', 2_000, 2_100, 100],
    ['counts from the stored time when the signer came later', 60_000, 61_000, 61_000],
    ['is never negative', 900, 800, 0],
    ['counts from the receipt if the clock of the API server is ahead', -5_000, -4_000, 1_000],
  ];
  for (const [what, received, now, expected] of rows) {
    it(what, () => {
      const record = toCsrRecord(buildCsr(), approvedAt + received, POLICY);
      assert.equal(millisecondsSinceApproval(record, approvedAt + now), expected);
    });
  }

  it('counts from the receipt where the condition tells no time', () => {
    const csr = { ...buildCsr(), status: { conditions: [{ type: 'Approved', status: 'True' }] } };
    assert.equal(millisecondsSinceApproval(toCsrRecord(csr, 1_000, POLICY), 1_250), 250);
  });
});
