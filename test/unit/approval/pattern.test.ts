// Patterns of allowed values: wildcards and templates.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matchesPattern, parsePattern } from '@countersign/common/approval/policy/pattern.ts';
import * as fc from 'fast-check';
import { cpuMs } from '../../support/cpu-time.ts';
import { errorOf, valueOf } from '../../support/pki.ts';

const matches = (pattern: string, value: string) => matchesPattern(valueOf(parsePattern(pattern)), value);

/** The same as a regular expression, which JavaScript matches by backtracking. */
function asExpression(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^]*')}$`);
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });

it('a wildcard matches what the regular expression with .* matches', () => {
  fc.assert(
    fc.property(text, text, (pattern, value) =>
      assert.equal(matches(pattern, value), asExpression(pattern).test(value)),
    ),
    { numRuns: 3_000 },
  );
});

it('a pattern with many wildcards takes no longer than others', () => {
  const start = cpuMs();
  assert.equal(matches(`${'*a'.repeat(200)}!`, 'a'.repeat(4_000)), false);
  assert.ok(cpuMs() - start < 1_000);
});

it('a template that does not exist is an error, however it is written', () => {
  for (const pattern of ['{{name}}', '{{ Namespace }}', '{{}}', '{{namespace.name}}', '{{.Request.Namespace}}'])
    assert.match(errorOf(parsePattern(pattern)) ?? '', /unknown template/);
});

it('single braces are text', () => assert.ok(matches('{namespace}', '{namespace}')));
