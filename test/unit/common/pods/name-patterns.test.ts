// The patterns by which the owner of an issuer says which DNS names pods may have.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  expandPatterns,
  isNameAllowed,
  MAX_PATTERN_LENGTH,
  MAX_PATTERNS,
  parseNamePatterns,
} from '@countersign/common/pods/name-patterns.ts';
import type { PodIdentity } from '@countersign/common/pods/pod-variables.ts';
import * as fc from 'fast-check';
import { cpuMs } from '../../../support/cpu-time.ts';
import { oddText } from '../../../support/odd-text.ts';
import { errorOf, valueOf } from '../../../support/pki.ts';
import { readVectors } from '../../../support/vectors.ts';

interface Case {
  readonly name: string;
  readonly patterns: string;
  readonly allowed?: readonly string[];
  readonly refused?: readonly string[];
}

const POD: PodIdentity = { name: 'web-0', namespace: 'team', serviceAccountName: 'web', uid: 'uid' };

function isAllowed(name: string, patterns: string, pod = POD): boolean {
  return isNameAllowed(name, expandPatterns(valueOf(parseNamePatterns(patterns)), pod));
}

describe('isNameAllowed', () => {
  for (const { name, patterns, allowed = [], refused = [] } of readVectors<Case[]>('name-patterns.yaml')) {
    it(name, () => {
      for (const each of allowed) assert.equal(isAllowed(each, patterns), true, each);
      for (const each of refused) assert.equal(isAllowed(each, patterns), false, each);
    });
  }

  it('a variable with dots stands for several labels, and never for a pattern', () => {
    const pod = { ...POD, name: 'web.v1', uid: '*' };
    assert.equal(isAllowed('web.v1.example', '${POD_NAME}.example', pod), true);
    assert.equal(isAllowed('x.example', '${POD_UID}.example', pod), false);
    assert.equal(isAllowed('*.example', '${POD_UID}.example', pod), false);
  });

  it('a pattern that is no DNS name for this pod allows nothing, and the others still hold', () => {
    const pod = { ...POD, name: 'x'.repeat(64) };
    assert.equal(isAllowed(`${pod.name}.example`, '${POD_NAME}.example', pod), false);
    assert.equal(isAllowed('a.example', '${POD_NAME}.example, a.example', pod), true);
  });

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,4}[a-z0-9])?$/);
  const name = fc
    .tuple(fc.array(label, { maxLength: 4 }), fc.stringMatching(/^[a-z]{1,4}$/))
    .map(([labels, top]) => [...labels, top]);

  it('a name is allowed by itself, and with any of its labels replaced by an asterisk', () => {
    fc.assert(
      fc.property(name, fc.infiniteStream(fc.boolean()), (labels, stream) => {
        const pattern = labels.map(each => (stream.next().value ? '*' : each)).join('.');
        assert.equal(isAllowed(labels.join('.'), pattern), true);
      }),
    );
  });

  it('agrees with a regular expression on every name and pattern', () => {
    const some = fc.constantFrom('a', 'b', '*');
    const host = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(host, fc.array(some, { minLength: 1, maxLength: 4 }), (labels, pattern) => {
        const expected = new RegExp(`^${pattern.map(each => (each === '*' ? '[^.]+' : each)).join('\\.')}$`);
        assert.equal(isAllowed(labels.join('.'), pattern.join('.')), expected.test(labels.join('.')));
      }),
      { numRuns: 500 },
    );
  });

  it('a wildcard is allowed only where every host that it stands for is', () => {
    const patterns = fc.array(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    });
    const rest = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(patterns, rest, label, (lists, labels, host) => {
        const text = lists.map(list => list.join('.')).join();
        if (isAllowed(['*', ...labels].join('.'), text)) assert.ok(isAllowed([host, ...labels].join('.'), text));
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseNamePatterns', () => {
  const form = 'which is not a DNS name in lower case in which * stands for a whole label';
  const faults: Record<string, readonly [string, string]> = {
    'an asterisk that is a part of a label': ['web-*.example', `has the pattern 'web-*.example', ${form}`],
    'two asterisks in a label': ['**.example', `has the pattern '**.example', ${form}`],
    'an empty pattern between commas': ['a.example,,b.example', `has the pattern '', ${form}`],
    'upper case': ['Web.example', `has the pattern 'Web.example', ${form}`],
    'an empty label': ['a..example', `has the pattern 'a..example', ${form}`],
    'a dot at the end': ['a.example.', `has the pattern 'a.example.', ${form}`],
    'another character': ['a_b.example', `has the pattern 'a_b.example', ${form}`],
    'a regular expression': ['.*', `has the pattern '.*', ${form}`],
    'an unknown variable': [
      '${NODE}.example',
      "has the pattern '${NODE}.example', which has an unknown variable: use ${POD_NAME}, ${POD_NAMESPACE}, ${POD_UID}, ${SERVICE_ACCOUNT_NAME}",
    ],
  };
  for (const [what, [patterns, error]] of Object.entries(faults)) {
    it(`${what} is a fault`, () => assert.equal(errorOf(parseNamePatterns(patterns)), error));
  }

  it('a list and a pattern have a maximum', () => {
    const list = (length: number) => Array.from({ length }, (_, at) => `n${at}.example`).join();
    assert.equal(valueOf(parseNamePatterns(list(MAX_PATTERNS))).length, MAX_PATTERNS);
    assert.equal(errorOf(parseNamePatterns(list(MAX_PATTERNS + 1))), 'has more than 64 patterns');
    const long = `${'${POD_NAME}.'.repeat(50)}svc`;
    assert.match(errorOf(parseNamePatterns(long)) ?? '', new RegExp(`longer than ${MAX_PATTERN_LENGTH} characters$`));
  });

  it('any text is a list of patterns or a fault', () => {
    const text = fc.oneof(oddText, fc.stringMatching(/^([a-z.*,$]|\$\{POD_NAME\})*$/));
    fc.assert(
      fc.property(text, any => {
        const patterns = parseNamePatterns(any);
        if (patterns.ok) assert.ok(expandPatterns(patterns.value, POD).length <= MAX_PATTERNS);
        else assert.match(patterns.error, /^has /);
      }),
    );
  });

  it('the most names are held against the most patterns within milliseconds', () => {
    const patterns = Array.from({ length: MAX_PATTERNS }, () => `${'*.'.repeat(120)}b`).join();
    const expanded = expandPatterns(valueOf(parseNamePatterns(patterns)), POD);
    const began = cpuMs();
    for (let at = 0; at < 64; at += 1) assert.equal(isNameAllowed(`${'a.'.repeat(120)}c`, expanded), false);
    assert.ok(cpuMs() - began < 500);
  });
});
