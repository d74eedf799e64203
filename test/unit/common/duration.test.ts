// Durations against a table that Go made (test/vectors/durations.yaml), and as a round trip.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatGoDuration, parseGoDuration } from '@countersign/common/duration.ts';
import { err, ok } from '@countersign/common/result.ts';
import * as fc from 'fast-check';
import { readVectors } from '../../support/vectors.ts';

const vectors = readVectors<{
  readonly parse: readonly { readonly text: string; readonly nanoseconds?: string; readonly error?: string }[];
  readonly format: readonly { readonly nanoseconds: string; readonly text: string }[];
}>('durations.yaml');

describe('parseGoDuration', () => {
  for (const { text, nanoseconds, error } of vectors.parse) {
    it(`reads ${JSON.stringify(text)} as Go does`, () => {
      const expected = nanoseconds === undefined ? err(error) : ok(BigInt(nanoseconds));
      assert.deepEqual(parseGoDuration(text), expected);
    });
  }

  it('answers at once for a number of a million digits', () => {
    assert.equal(parseGoDuration(`${'9'.repeat(1e6)}h`).ok, false);
  });

  it('never throws, whatever the text', () => {
    const text = fc.array(fc.nat(0xffff)).map(units => `1${String.fromCharCode(...units)}`);
    fc.assert(fc.property(text, odd => assert.equal(typeof parseGoDuration(odd).ok, 'boolean')));
  });
});

describe('formatGoDuration', () => {
  for (const { nanoseconds, text } of vectors.format) {
    it(`prints ${nanoseconds} ns as ${text}, as Go does`, () => {
      assert.equal(formatGoDuration(BigInt(nanoseconds)), text);
    });
  }

  it('is undone by parseGoDuration', () => {
    const durations = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(durations, duration => {
        assert.deepEqual(parseGoDuration(formatGoDuration(duration)), ok(duration));
      }),
      { numRuns: 1000 },
    );
  });
});
