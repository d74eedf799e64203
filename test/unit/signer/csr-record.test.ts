// What the signer caches of a CSR, and how it measures the time since approval.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CA, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { MAX_REQUEST_LENGTH } from '@countersign/common/x509/pkcs10.ts';
import { millisecondsSinceApproval, toCsrRecord } from '@countersign/signer/requests/csr/csr-record.ts';
import { APPROVED_AT, buildCertificateOf, buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import { requestErrors } from '../../support/request-errors.ts';

const POLICY = { writeCaAnnotation: true, policy: { ...PERMISSIVE_POLICY, delegates: true } };

const OURS = buildCertificateOf();

describe('toCsrRecord', () => {
  const states: Record<string, readonly [CsrOrder, string]> = {
    'a pending CSR': [{ conditions: [] }, 'open'],
    'an approved CSR': [{}, 'open'],
    'a CSR of a ClusterIssuer': [{ signerName: 'clusterissuers.cert-manager.io/x' }, 'open'],
    'a CSR of another signer': [{ signerName: 'kubernetes.io/kubelet-serving' }, 'done'],
    'a CSR whose signer name no issuer can match': [{ signerName: 'issuers.cert-manager.io/x' }, 'open'],
    'a denied CSR whose signer name no issuer can match': [
      { signerName: 'issuers.cert-manager.io/x', conditions: ['Denied'] },
      'done',
    ],
    'a CSR whose signer name no issuer can match, signed by another signer': [
      { signerName: 'issuers.cert-manager.io/x', certificate: buildCertificateOf('another') },
      'done',
    ],
    'a denied CSR': [{ conditions: ['Denied'] }, 'done'],
    'a failed CSR': [{ conditions: ['Approved', 'Failed'] }, 'done'],
    'a CSR that is being deleted': [{ deleted: true }, 'done'],
    'a CSR that another signer signed': [{ certificate: buildCertificateOf('another') }, 'done'],
    'a CSR with an invalid certificate': [{ certificate: 'Zm9v' }, 'done'],
    'a CSR that we signed and annotated': [{ certificate: OURS, annotations: { [CA]: 'x' } }, 'done'],
    'a CSR that we signed without annotation': [{ certificate: OURS }, 'repair'],
    'a CSR that we signed and that is Failed': [{ certificate: OURS, conditions: ['Failed'] }, 'done'],
  };
  for (const [which, [order, state]] of Object.entries(states)) {
    it(`${which} gets the state "${state}"`, () => assert.equal(toCsrRecord(buildCsr(order), 0, POLICY).state, state));
  }

  it('a CSR that we signed is done if the ca annotation is disabled', () => {
    const csr = buildCsr({ certificate: OURS });
    assert.equal(toCsrRecord(csr, 0, { ...POLICY, writeCaAnnotation: false }).state, 'done');
  });

  it('an approved CSR is cached without its managed fields', () => {
    const { metadata, spec, status } = buildCsr();
    const raw = {
      apiVersion: 'certificates.k8s.io/v1',
      metadata: { ...metadata, labels: { a: 'b' }, managedFields: [{ manager: 'kubectl' }] },
      spec,
      status,
    };
    const kept = { metadata: { ...metadata, labels: { a: 'b' } }, spec, status, state: 'open', receivedAt: 5 };
    assert.deepEqual(toCsrRecord(raw, 5, POLICY), kept);
  });

  it('32 labels of an approved CSR are cached for delegation, and none of another one or without delegation', () => {
    const labels = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key-${index}`, 'x']));
    const labelsOf = (conditions: readonly string[], settings = POLICY) => {
      const csr = buildCsr({ conditions });
      return toCsrRecord({ ...csr, metadata: { ...csr.metadata, labels } }, 5, settings).metadata.labels;
    };
    assert.equal(labelsOf(['Approved'], { ...POLICY, policy: PERMISSIVE_POLICY }), undefined);
    assert.deepEqual(Object.keys(labelsOf(['Approved']) ?? {}), Object.keys(labels).slice(0, 32));
    assert.deepEqual(
      [[], ['Denied'], ['Approved', 'Failed']].map(conditions => labelsOf(conditions)),
      [undefined, undefined, undefined],
    );
  });

  it('only the signer name of an unapproved CSR is cached', () => {
    const { metadata, spec } = buildCsr();
    const kept = { metadata, spec: { signerName: spec.signerName, request: '' }, state: 'open', receivedAt: 5 };
    assert.deepEqual(toCsrRecord({ metadata, spec }, 5, POLICY), kept);
  });

  it('foreign annotations are dropped, and overlong values are cut but stay invalid', () => {
    const annotations = { other: 'x'.repeat(9_000), [REQUEST_DURATION]: 'é'.repeat(9_000), [REQUEST_IS_CA]: 'true' };
    const csr = buildCsr({ annotations, request: 'A'.repeat(900_000) });
    const { metadata, spec, ...rest } = toCsrRecord(csr, 0, POLICY);
    assert.deepEqual(metadata.annotations, { [REQUEST_DURATION]: 'é'.repeat(1_000), [REQUEST_IS_CA]: 'true' });
    // Cutting long values does not make them valid.
    const whole = requestErrors(csr, PERMISSIVE_POLICY).map(({ reason }) => reason);
    assert.deepEqual(
      requestErrors({ metadata, spec, ...rest }, PERMISSIVE_POLICY).map(({ reason }) => reason),
      whole,
    );
    assert.ok(spec.request.length < 74_000);
  });

  it('a request of the maximum length is cached in full, and a longer one stays too long', () => {
    const kept = (length: number) => toCsrRecord(buildCsr({ request: 'A'.repeat(length) }), 0, POLICY).spec.request;
    assert.equal(kept(MAX_REQUEST_LENGTH).length, MAX_REQUEST_LENGTH);
    assert.ok(kept(MAX_REQUEST_LENGTH + 9).length > MAX_REQUEST_LENGTH);
  });

  it('a CSR with an overlong name is rejected, even if it is not ours', () => {
    const named = (length: number) => buildCsr({ name: 'x'.repeat(length), conditions: ['Denied'] });
    assert.equal(toCsrRecord(named(253), 0, POLICY).state, 'done');
    const message = 'The name is 254 characters long; the maximum is 253';
    assert.throws(() => toCsrRecord(named(254), 0, POLICY), { message });
  });

  it('only the metadata of a finished CSR is cached', () => {
    assert.deepEqual(toCsrRecord(buildCsr({ conditions: ['Denied'] }), 5, POLICY), {
      metadata: { name: 'jane', uid: 'uid-of-jane', resourceVersion: '7' },
      spec: { signerName: '', request: '' },
      state: 'done',
      receivedAt: 5,
    });
  });
});

describe('time since approval', () => {
  const approvedAt = Date.parse(APPROVED_AT);
  const rows: readonly (readonly [string, number, number, number])[] = [
    ['counts from receipt for an approval seen live', 900, 1_400, 500],
    ['counts from receipt for up to two seconds of clock skew', 2_000, 2_100, 100],
    ['counts from the stored time if the signer started later', 60_000, 61_000, 61_000],
    ['is never negative', 900, 800, 0],
    ['counts from receipt if the API server clock is ahead', -5_000, -4_000, 1_000],
  ];
  for (const [what, received, now, expected] of rows) {
    it(`the time since approval ${what}`, () => {
      const record = toCsrRecord(buildCsr(), approvedAt + received, POLICY);
      assert.equal(millisecondsSinceApproval(record, approvedAt + now), expected);
    });
  }

  it('the time since approval counts from receipt if the condition has no time', () => {
    const csr = { ...buildCsr(), status: { conditions: [{ type: 'Approved', status: 'True' }] } };
    assert.equal(millisecondsSinceApproval(toCsrRecord(csr, 1_000, POLICY), 1_250), 250);
  });
});
