// The annotations of a CSR: the meaning of each value, and which are immutable.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CA,
  changedImmutableAnnotations,
  encodeCaAnnotation,
  IMMUTABLE_ANNOTATIONS,
  PRIVATE_KEY_SECRET_NAME,
  REQUEST_DURATION,
  REQUEST_IS_CA,
  readIsCa,
  readPrivateKeySecretName,
  readRequestDuration,
} from '@countersign/common/annotations.ts';
import { HOUR } from '@countersign/common/duration.ts';

function csr(annotations?: Readonly<Record<string, string>>) {
  return {
    metadata: { name: 'x', ...(annotations && { annotations }) },
    spec: { signerName: 'issuers.cert-manager.io/sandbox.ca', request: '' },
  };
}

describe('readRequestDuration', () => {
  it('readRequestDuration finds nothing without the annotation', () => {
    assert.deepEqual(readRequestDuration(csr()), { ok: true, value: undefined });
    assert.deepEqual(readRequestDuration(csr({})), { ok: true, value: undefined });
  });

  it('readRequestDuration reads a Go duration', () => {
    assert.deepEqual(readRequestDuration(csr({ [REQUEST_DURATION]: '2160h' })), { ok: true, value: 2160n * HOUR });
  });

  it('readRequestDuration reports the field and the cause of an invalid duration', () => {
    assert.deepEqual(readRequestDuration(csr({ [REQUEST_DURATION]: '90d' })), {
      ok: false,
      error: {
        reason: 'ErrorParseDuration',
        field: 'metadata.annotations[experimental.cert-manager.io/request-duration]',
        message:
          'Failed to parse requested duration: failed to parse requested duration on annotation "experimental.cert-manager.io/request-duration": time: unknown unit "d" in duration "90d"',
      },
    });
  });
});

describe('readRequestDuration of a long text', () => {
  it('readRequestDuration of a long text reads 256 characters', () => {
    const text = `${'0'.repeat(252)}2160h`.slice(-256);
    assert.deepEqual(readRequestDuration(csr({ [REQUEST_DURATION]: text })), { ok: true, value: 2160n * HOUR });
  });

  for (const [what, text] of [
    ['a duration to Go', `${'0'.repeat(252)}2160h`],
    ['a long sequence of numbers', '1ns'.repeat(85_000)],
    ['of bytes that are escaped to four characters', '\u0000'.repeat(260_000)],
  ] as const) {
    it(`readRequestDuration of a long text rejects one that is ${what}, with a short message`, () => {
      const read = readRequestDuration(csr({ [REQUEST_DURATION]: text }));
      assert.equal(
        read.ok ? '' : read.error.message,
        `Failed to parse requested duration: failed to parse requested duration on annotation "${REQUEST_DURATION}": the duration is ${text.length} characters long; the maximum is 256`,
      );
    });
  }
});

describe('readIsCa', () => {
  for (const [text, expected] of [
    ['true', true],
    ['True', false],
    ['TRUE', false],
    ['1', false],
    ['true ', false],
    ['', false],
    ['false', false],
  ] as const) {
    it(`readIsCa is ${expected} for "${text}"`, () => assert.equal(readIsCa(csr({ [REQUEST_IS_CA]: text })), expected));
  }

  it('readIsCa is false without the annotation', () => assert.equal(readIsCa(csr()), false));
});

describe('readPrivateKeySecretName', () => {
  it('readPrivateKeySecretName reads the name', () =>
    assert.equal(readPrivateKeySecretName(csr({ [PRIVATE_KEY_SECRET_NAME]: 'key' })), 'key'));
  it('readPrivateKeySecretName ignores an empty name', () => {
    assert.equal(readPrivateKeySecretName(csr({ [PRIVATE_KEY_SECRET_NAME]: '' })), undefined);
    assert.equal(readPrivateKeySecretName(csr()), undefined);
  });
});

describe('encodeCaAnnotation', () => {
  it('encodeCaAnnotation is standard base64 of the PEM', () => {
    assert.equal(encodeCaAnnotation('-----BEGIN CERTIFICATE-----\n'), 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==');
  });
});

describe('changedImmutableAnnotations', () => {
  for (const key of IMMUTABLE_ANNOTATIONS) {
    it(`changedImmutableAnnotations reports ${key} when it is added, changed or removed`, () => {
      assert.deepEqual(changedImmutableAnnotations(csr(), csr({ [key]: 'a' })), [key]);
      assert.deepEqual(changedImmutableAnnotations(csr({ [key]: 'a' }), csr({ [key]: 'b' })), [key]);
      assert.deepEqual(changedImmutableAnnotations(csr({ [key]: 'a' }), csr({})), [key]);
      assert.deepEqual(changedImmutableAnnotations(csr(), csr({ [key]: '' })), [key]);
    });

    it(`changedImmutableAnnotations reports no change of ${key} for equal values`, () => {
      assert.deepEqual(changedImmutableAnnotations(csr({ [key]: 'a' }), csr({ [key]: 'a' })), []);
    });
  }

  it('changedImmutableAnnotations ignores changes of other annotations, the signer’s own included', () => {
    assert.deepEqual(changedImmutableAnnotations(csr({ note: 'a' }), csr({ note: 'b', [CA]: 'x' })), []);
  });
});
