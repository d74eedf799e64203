// The annotations of a CSR: what each value means, and which may not change.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CA,
  changedLockedAnnotations,
  encodeCaAnnotation,
  LOCKED_ANNOTATIONS,
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
  it('finds nothing without the annotation', () => {
    assert.deepEqual(readRequestDuration(csr()), { ok: true, value: undefined });
    assert.deepEqual(readRequestDuration(csr({})), { ok: true, value: undefined });
  });

  it('reads a Go duration', () => {
    assert.deepEqual(readRequestDuration(csr({ [REQUEST_DURATION]: '2160h' })), { ok: true, value: 2160n * HOUR });
  });

  it('says where and why a text is no duration', () => {
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
  it('reads 256 characters', () => {
    const text = `${'0'.repeat(252)}2160h`.slice(-256);
    assert.deepEqual(readRequestDuration(csr({ [REQUEST_DURATION]: text })), { ok: true, value: 2160n * HOUR });
  });

  for (const [what, text] of [
    ['a duration to Go', `${'0'.repeat(252)}2160h`],
    ['a long row of numbers', '1ns'.repeat(85_000)],
    ['of bytes that are shown as four', '\u0000'.repeat(260_000)],
  ] as const) {
    it(`refuses one that is ${what}, and says so in few words`, () => {
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
    it(`takes "${text}" for ${expected}`, () => assert.equal(readIsCa(csr({ [REQUEST_IS_CA]: text })), expected));
  }

  it('takes no annotation for no', () => assert.equal(readIsCa(csr()), false));
});

describe('readPrivateKeySecretName', () => {
  it('reads the name', () => assert.equal(readPrivateKeySecretName(csr({ [PRIVATE_KEY_SECRET_NAME]: 'key' })), 'key'));
  it('takes an empty name for none', () => {
    assert.equal(readPrivateKeySecretName(csr({ [PRIVATE_KEY_SECRET_NAME]: '' })), undefined);
    assert.equal(readPrivateKeySecretName(csr()), undefined);
  });
});

describe('encodeCaAnnotation', () => {
  it('is standard base64 of the PEM', () => {
    assert.equal(encodeCaAnnotation('-----BEGIN CERTIFICATE-----\n'), 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==');
  });
});

describe('changedLockedAnnotations', () => {
  for (const key of LOCKED_ANNOTATIONS) {
    it(`sees ${key} added, changed and removed`, () => {
      assert.deepEqual(changedLockedAnnotations(csr(), csr({ [key]: 'a' })), [key]);
      assert.deepEqual(changedLockedAnnotations(csr({ [key]: 'a' }), csr({ [key]: 'b' })), [key]);
      assert.deepEqual(changedLockedAnnotations(csr({ [key]: 'a' }), csr({})), [key]);
      assert.deepEqual(changedLockedAnnotations(csr(), csr({ [key]: '' })), [key]);
    });

    it(`sees no change of ${key} between equal values`, () => {
      assert.deepEqual(changedLockedAnnotations(csr({ [key]: 'a' }), csr({ [key]: 'a' })), []);
    });
  }

  it('lets other annotations change, the signer’s own included', () => {
    assert.deepEqual(changedLockedAnnotations(csr({ note: 'a' }), csr({ note: 'b', [CA]: 'x' })), []);
  });
});
