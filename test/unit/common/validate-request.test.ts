// The rules on the shape of a CSR, case by case (test/vectors/validate-request.yaml), and what holds for every CSR.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { HOUR, SECOND } from '@countersign/common/duration.ts';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
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
    // What is another signer's is never asked about.
    if (isForeign(csr)) continue;
    it(name, () => assert.deepEqual(requestErrors(csr, NO_DEMANDS), errors));
  }

  it('never throws, and lets pass only durations that can be asked for', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^-?[0-9]{1,4}(\.[0-9]{0,3})?(ns|us|ms|s|m|h)$/));
    fc.assert(
      fc.property(
        fc.option(text, { nil: undefined }),
        fc.option(fc.integer(), { nil: undefined }),
        (duration, seconds) => {
          const asked = withDuration(duration, seconds);
          if (requestErrors(asked, NO_DEMANDS).length === 0)
            assert.ok(requestedDuration(asked, NO_DEMANDS) >= MINIMUM_DURATION);
        },
      ),
    );
  });

  it('never throws for a request that is damaged', () => {
    const pem = Buffer.from(readRequest('serving'), 'base64');
    fc.assert(
      fc.property(fc.nat(pem.length - 1), fc.nat(255), (at, octet) => {
        const damaged = Buffer.from(pem);
        damaged[at] = octet;
        const { metadata, spec } = withDuration(undefined, undefined);
        requestErrors({ metadata, spec: { ...spec, request: damaged.toString('base64') } }, NO_DEMANDS);
      }),
      { numRuns: 300 },
    );
  });
});

describe('of a text that the requester wrote a message repeats a part:', () => {
  const LONG = 'x'.repeat(100_000);
  const base = withDuration(undefined, undefined);
  for (const [what, spec] of [
    ['of a usage', { usages: [LONG] }],
    ['of many usages', { usages: Array.from({ length: 50_000 }, () => 'x') }],
    ['of a signer name', { signerName: `issuers.cert-manager.io/${LONG}` }],
  ] as const) {
    it(what, () => {
      const errors = requestErrors({ ...base, spec: { ...base.spec, ...spec } }, NO_DEMANDS);
      assert.equal(errors.length, 1);
      assert.match(errors[0]?.message ?? '', /x{20}|x x x.*…$/);
      assert.ok((errors[0]?.message.length ?? 0) < 2_100);
    });
  }
});

describe('a maximum duration', () => {
  const policy = { ...NO_DEMANDS, maxDuration: 2n * HOUR };
  for (const [what, csr, isRefused] of [
    ['refuses an annotation that asks for more', withDuration('2h0.000000001s', undefined), true],
    ['lets in an annotation that asks for just this', withDuration('2h', undefined), false],
    ['refuses expirationSeconds that ask for more', withDuration(undefined, 7201), true],
    ['does not look at expirationSeconds beside an annotation', withDuration('1h', 7201), false],
    ['lets in who asks for nothing', withDuration(undefined, undefined), false],
  ] as const) {
    it(what, () => assert.equal(requestErrors(csr, policy).length, isRefused ? 1 : 0));
  }
  it('is what one gets who asks for nothing, if it is less than 90 days', () => {
    const durationWith = (maxDuration: bigint) =>
      requestedDuration(withDuration(undefined, undefined), { ...NO_DEMANDS, maxDuration });
    assert.deepEqual([2n * HOUR, 2161n * HOUR].map(durationWith), [2n * HOUR, 2160n * HOUR]);
  });
});

describe('requestedDuration', () => {
  it('is the annotation, even beside expirationSeconds', () =>
    assert.equal(requestedDuration(withDuration('1h', 7200), NO_DEMANDS), HOUR));
  it('is expirationSeconds without the annotation', () =>
    assert.equal(requestedDuration(withDuration(undefined, 7200), NO_DEMANDS), 2n * HOUR));
  it('is 90 days without both', () =>
    assert.equal(requestedDuration(withDuration(undefined, undefined), NO_DEMANDS), 90n * 24n * HOUR));
  it('keeps fractions of a second', () =>
    assert.equal(requestedDuration(withDuration('600.5s', undefined), NO_DEMANDS), 600n * SECOND + SECOND / 2n));
  it('is no number for an annotation that cannot be read', () => {
    assert.throws(() => requestedDuration(withDuration('90d', 7200), NO_DEMANDS), /unknown unit "d"/);
  });
});
