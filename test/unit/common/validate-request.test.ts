// The rules for the shape of a CSR, case by case (test/vectors/validate-request.yaml), and properties of every CSR.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { HOUR, SECOND } from '@countersign/common/duration.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { MINIMUM_DURATION, requestedDuration } from '@countersign/common/requested-duration.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import * as fc from 'fast-check';
import { requestErrors } from '../../support/request-errors.ts';
import { readRequest, readValidationCases } from '../../support/vectors.ts';

const request = readRequest('p256');

function withDuration(duration: string | undefined, expirationSeconds: number | undefined) {
  return {
    metadata: { name: 'x', ...(duration !== undefined && { annotations: { [REQUEST_DURATION]: duration } }) },
    spec: {
      signerName: 'issuers.cert-manager.io/sandbox.ca',
      request,
      usages: ['digital signature'],
      ...(expirationSeconds !== undefined && { expirationSeconds }),
    },
  };
}

function isForeign({ spec }: CertificateSigningRequest): boolean {
  const signer = parseSignerName(spec.signerName);
  return !signer.ok && signer.error.kind === 'foreign';
}

describe('the rules on the shape of a CSR', () => {
  for (const { name, csr, errors } of readValidationCases()) {
    // Other signers' CSRs are never validated.
    if (isForeign(csr)) continue;
    it(name, () => assert.deepEqual(requestErrors(csr, PERMISSIVE_POLICY), errors));
  }

  it('validation never throws, and admits only valid durations', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^-?[0-9]{1,4}(\.[0-9]{0,3})?(ns|us|ms|s|m|h)$/));
    fc.assert(
      fc.property(
        fc.option(text, { nil: undefined }),
        fc.option(fc.integer(), { nil: undefined }),
        (duration, seconds) => {
          const asked = withDuration(duration, seconds);
          if (requestErrors(asked, PERMISSIVE_POLICY).length === 0)
            assert.ok(requestedDuration(asked, PERMISSIVE_POLICY) >= MINIMUM_DURATION);
        },
      ),
    );
  });

  it('validation never throws for a damaged request', () => {
    const pem = Buffer.from(readRequest('serving'), 'base64');
    fc.assert(
      fc.property(fc.nat(pem.length - 1), fc.nat(255), (at, octet) => {
        const damaged = Buffer.from(pem);
        damaged[at] = octet;
        const { metadata, spec } = withDuration(undefined, undefined);
        requestErrors({ metadata, spec: { ...spec, request: damaged.toString('base64') } }, PERMISSIVE_POLICY);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a message repeats only a part', () => {
  const LONG = 'x'.repeat(100_000);
  const base = withDuration(undefined, undefined);
  for (const [what, spec] of [
    ['of a usage', { usages: [LONG] }],
    ['of many usages', { usages: Array.from({ length: 50_000 }, () => 'x') }],
    ['of a signer name', { signerName: `issuers.cert-manager.io/${LONG}` }],
  ] as const) {
    it(`a message repeats only a part ${what}`, () => {
      const errors = requestErrors({ ...base, spec: { ...base.spec, ...spec } }, PERMISSIVE_POLICY);
      assert.equal(errors.length, 1);
      assert.match(errors[0]?.message ?? '', /x{20}|x x x.*…$/);
      assert.ok((errors[0]?.message.length ?? 0) < 2_100);
    });
  }
});

describe('the maximum duration', () => {
  const policy = { ...PERMISSIVE_POLICY, maxDuration: 2n * HOUR };
  for (const [what, csr, isRefused] of [
    ['denies an annotation that exceeds it', withDuration('2h0.000000001s', undefined), true],
    ['admits an annotation equal to it', withDuration('2h', undefined), false],
    ['denies expirationSeconds that exceed it', withDuration(undefined, 7201), true],
    ['ignores expirationSeconds next to an annotation', withDuration('1h', 7201), false],
    ['admits a CSR without a duration', withDuration(undefined, undefined), false],
  ] as const) {
    it(`the maximum duration ${what}`, () => assert.equal(requestErrors(csr, policy).length, isRefused ? 1 : 0));
  }
  it('the maximum duration caps the default duration of 90 days', () => {
    const durationWith = (maxDuration: bigint) =>
      requestedDuration(withDuration(undefined, undefined), { ...PERMISSIVE_POLICY, maxDuration });
    assert.deepEqual([2n * HOUR, 2161n * HOUR].map(durationWith), [2n * HOUR, 2160n * HOUR]);
  });
});

describe('requestedDuration', () => {
  it('requestedDuration is the annotation, even beside expirationSeconds', () =>
    assert.equal(requestedDuration(withDuration('1h', 7200), PERMISSIVE_POLICY), HOUR));
  it('requestedDuration is expirationSeconds without the annotation', () =>
    assert.equal(requestedDuration(withDuration(undefined, 7200), PERMISSIVE_POLICY), 2n * HOUR));
  it('requestedDuration is 90 days without both', () =>
    assert.equal(requestedDuration(withDuration(undefined, undefined), PERMISSIVE_POLICY), 90n * 24n * HOUR));
  it('requestedDuration keeps fractions of a second', () =>
    assert.equal(requestedDuration(withDuration('600.5s', undefined), PERMISSIVE_POLICY), 600n * SECOND + SECOND / 2n));
  it('requestedDuration throws for an invalid annotation', () => {
    assert.throws(() => requestedDuration(withDuration('90d', 7200), PERMISSIVE_POLICY), /unknown unit "d"/);
  });
});
