// PodCertificateRequests: what their status says, and who asks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findPodCondition,
  isDenied,
  isFailed,
  isIssued,
  isOpen,
  podRequester,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { buildPodRequest } from '../../../support/pod-request-builder.ts';

describe('the status of a PodCertificateRequest', () => {
  const condition = (type: string) => ({ type, status: 'True', reason: 'Test' });
  const judge = (types: readonly string[]) => {
    const request = buildPodRequest({ status: { conditions: types.map(condition) } });
    return [isOpen, isIssued, isDenied, isFailed].map(is => is(request));
  };

  it('a request is open without a condition, and without a status', () => {
    assert.deepEqual(judge([]), [true, false, false, false]);
    assert.equal(isOpen({}), true);
  });

  it('a request is closed by each of the three conditions', () => {
    assert.deepEqual(judge(['Issued']), [false, true, false, false]);
    assert.deepEqual(judge(['Denied']), [false, false, true, false]);
    assert.deepEqual(judge(['Failed']), [false, false, false, true]);
  });

  it('the reason of a condition is found by the type of the condition', () => {
    const request = buildPodRequest({ status: { conditions: [condition('Denied')] } });
    assert.equal(findPodCondition(request, 'Denied')?.reason, 'Test');
    assert.equal(findPodCondition(request, 'Issued'), undefined);
  });
});

describe('podRequester', () => {
  it('the requester is the ServiceAccount with the groups that authorizer.serviceAccount of CEL has, and no others', () => {
    assert.deepEqual(podRequester(buildPodRequest({ namespace: 'team', serviceAccountName: 'web' })), {
      username: 'system:serviceaccount:team:web',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:team'],
    });
  });
});
