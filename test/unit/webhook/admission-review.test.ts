// Which bodies decode as an AdmissionReview, and the errors for those that do not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import { decodeAdmissionReview } from '@countersign/webhook/admission-review.ts';
import { csr, review, reviewWith } from '../../support/admission-reviews.ts';
import { errorOf, valueOf } from '../../support/pki.ts';
import { judge } from './judgement.ts';

/** Parsed from JSON, so that `__proto__` is an ordinary own property. */
const fromJson = (text: string): unknown => JSON.parse(text);

/** A valid AdmissionReview, except that a field of `parent` is inside its `__proto__`. */
function withProto(parent: string, field: string): unknown {
  const text = JSON.stringify(review(), (key, value) => {
    if (key !== parent) return value;
    const { [field]: moved, ...rest } = value;
    return { ...rest, ['__proto__']: { [field]: moved } };
  });
  return fromJson(text);
}

const UNREADABLE: readonly (readonly [what: string, body: unknown, error: string | RegExp])[] = [
  ['nothing', undefined, 'AdmissionReview is not an object'],
  ['null', null, 'AdmissionReview is not an object'],
  ['a number', 1, 'AdmissionReview is not an object'],
  ['a list', [], 'AdmissionReview is not an object'],
  ['an empty object', {}, 'AdmissionReview.apiVersion is not admission.k8s.io/v1'],
  [
    'everything in __proto__',
    fromJson(`{"__proto__":${JSON.stringify(review())}}`),
    'AdmissionReview.apiVersion is not admission.k8s.io/v1',
  ],
  ['the requester in __proto__', withProto('request', 'userInfo'), 'request.userInfo is not an object'],
  ['the object in __proto__', withProto('request', 'object'), 'request.object is not an object'],
  ['the signer name in __proto__', withProto('spec', 'signerName'), 'request.object.spec.signerName is not a string'],
  [
    'another version',
    reviewWith('apiVersion', 'admission.k8s.io/v1beta1'),
    'AdmissionReview.apiVersion is not admission.k8s.io/v1',
  ],
  ['another kind', reviewWith('kind', 'ConversionReview'), 'AdmissionReview.kind is not AdmissionReview'],
  ['no request', reviewWith('request', null), 'request is not an object'],
  ['a list as request', reviewWith('request', []), 'request is not an object'],
  ['no uid', reviewWith('request.uid', undefined), 'request.uid is missing'],
  ['an empty uid', reviewWith('request.uid', ''), 'request.uid is missing'],
  ['a number as uid', reviewWith('request.uid', 7), 'request.uid is missing'],
  ['a uid that is too long', reviewWith('request.uid', 'x'.repeat(257)), 'request.uid is longer than 256 characters'],
  ['an object of another kind', reviewWith('request.kind.kind', 'Pod'), /^request.kind.kind is not/],
  ['an object of another group', reviewWith('request.kind.group', ''), /^request.kind.group is not/],
  ['another version of CSRs', reviewWith('request.kind.version', 'v1beta1'), /^request.kind.version is not/],
  ['an unknown operation', reviewWith('request.operation', 'PATCH'), /^request.operation is not/],
  ['no operation', reviewWith('request.operation', null), /^request.operation is not/],
  ['an operation from the prototype', reviewWith('request.operation', 'toString'), /^request.operation is not/],
  ['no requester', reviewWith('request.userInfo', null), 'request.userInfo is not an object'],
  ['groups that are not a list', reviewWith('request.userInfo.groups', 'a'), 'request.userInfo.groups is not a list'],
  [
    'a group that is not a string',
    reviewWith('request.userInfo.groups', [1]),
    'request.userInfo.groups[0] is not a string',
  ],
  ['extra that is a list', reviewWith('request.userInfo.extra', []), 'request.userInfo.extra is not an object'],
  [
    'an extra that is a string',
    reviewWith('request.userInfo.extra', { a: 'b' }),
    'request.userInfo.extra[a] is not a list',
  ],
  ['a string as dryRun', reviewWith('request.dryRun', 'true'), 'request.dryRun is not a boolean'],
  ['a number as subresource', reviewWith('request.subResource', 1), 'request.subResource is not a string'],
];

/** In these cases, the uid is decoded before the error is found. */
const UNREADABLE_OBJECTS: readonly (readonly [what: string, body: unknown, error: string | RegExp])[] = [
  ['no object on CREATE', reviewWith('request.object', null), 'request.object is not an object'],
  ['a list as object', reviewWith('request.object', [csr()]), 'request.object is not an object'],
  ['no spec', reviewWith('request.object.spec', null), 'request.object.spec is not an object'],
  ['a list as spec', reviewWith('request.object.spec', []), 'request.object.spec is not an object'],
  ['a number as signer name', reviewWith('request.object.spec.signerName', 1), /signerName is not a string/],
  ['a list as signer name', reviewWith('request.object.spec.signerName', ['a/b']), /signerName is not a string/],
  ['a number as request', reviewWith('request.object.spec.request', 1), /spec.request is not a string/],
  ['usages that are not a list', reviewWith('request.object.spec.usages', {}), /spec.usages is not a list/],
  [
    'a fractional number of seconds',
    reviewWith('request.object.spec.expirationSeconds', 600.5),
    /expirationSeconds is not an integer/,
  ],
  [
    'annotations that are a list',
    reviewWith('request.object.metadata.annotations', []),
    /annotations is not an object/,
  ],
  [
    'an annotation that is not a string',
    reviewWith('request.object.metadata.annotations', { [REQUEST_DURATION]: 1 }),
    /request-duration\] is not a string/,
  ],
  ['no old object on UPDATE', reviewWith('request.operation', 'UPDATE'), 'request.oldObject is not an object'],
];

function assertUnreadable(body: unknown, expected: string | RegExp): void {
  const { message = '' } = errorOf(decodeAdmissionReview(body)) ?? {};
  if (typeof expected === 'string') assert.equal(message, expected);
  else assert.match(message, expected);
}

describe('decoding an AdmissionReview', () => {
  for (const [what, body, error] of UNREADABLE) {
    test(`a body with ${what} cannot be decoded`, () => assertUnreadable(body, error));
  }
});

describe('decoding the objects of an AdmissionReview', () => {
  for (const [what, body, error] of UNREADABLE_OBJECTS) {
    test(`a review with ${what} cannot be decoded, and the error carries its uid`, () => {
      assertUnreadable(body, error);
      assert.equal(errorOf(decodeAdmissionReview(body))?.uid, 'uid-1');
    });
  }
});

test('a null value counts as absent, as in Go', () => {
  const { metadata, spec } = csr();
  const nulls = {
    metadata: { ...metadata, annotations: null },
    spec: { ...spec, expirationSeconds: null },
    status: null,
  };
  const { response } = judge(review({ object: nulls, subResource: null, dryRun: null })).answer;
  assert.deepEqual(response, { uid: 'uid-1', allowed: true });
});

test('an annotation that is not used may have any type', () => {
  const body = reviewWith('request.object.metadata.annotations', { other: 1, [REQUEST_DURATION]: '1h' });
  assert.equal(judge(body).answer.response.allowed, true);
});

for (const name of ['__proto__', 'constructor', 'toString']) {
  test(`an extra of the requester with the key ${name} is decoded unchanged`, () => {
    const extra = { [name]: ['x'], scope: ['a'] };
    const { userInfo } = valueOf(decodeAdmissionReview(reviewWith('request.userInfo.extra', extra)));
    assert.equal(JSON.stringify(userInfo.extra), JSON.stringify(extra));
    assert.equal(Object.getPrototypeOf(userInfo.extra), Object.prototype);
  });
}
