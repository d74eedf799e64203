// The limits of CEL expressions: what would take long, or much memory, fails instead.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCelCompiler } from '@countersign/common/approval/cel/cel-program.ts';
import { VALIDATION_SAMPLE } from '@countersign/common/approval/cel/cel-variables.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { errorOf, valueOf } from '../../support/pki.ts';

const cel = createCelCompiler();
const compile = (expression: string) => cel.compile(expression, VALIDATION_SAMPLE);

function run(expression: string, self: string) {
  return valueOf(compile(expression))({ ...VALIDATION_SAMPLE, self });
}

const DOUBLING = ['x + x', '[x, x].join("")', 'x.replace("a", x)'].map(
  step => `[self].map(x, ${step}).map(x, ${step}).map(x, ${step}).map(x, ${step}).size() > 0`,
);

describe('an expression within the limits', () => {
  for (const expression of DOUBLING) {
    it(`an expression within the limits may double a text: ${expression.slice(7, 30)}`, () =>
      assert.deepEqual(run(expression, 'a'), { ok: true, value: true }));
    it(`an expression within the limits may not double it beyond the limit: ${expression.slice(7, 30)}`, () =>
      assert.match(errorOf(run(expression, 'a'.repeat(1_000))) ?? '', /exceeds 4096 characters/));
  }

  it('an expression within the limits may not make long lists', () => {
    assert.match(errorOf(run('self.split("").size() > 0', 'a'.repeat(500))) ?? '', /exceeds 128 elements/);
    const joined = '[1, 2].map(x, self.split("") + self.split("")).size() > 0';
    assert.match(errorOf(run(joined, 'a'.repeat(100))) ?? '', /exceeds 128 elements/);
  });

  it('an expression within the limits takes a bounded time in its worst loops', () => {
    const start = cpuMs();
    assert.ok(run('self.split("").all(x, self.split("").all(y, y == x || y != x))', 'ab'.repeat(64)).ok);
    assert.ok(cpuMs() - start < 5_000);
  });

  it('an expression within the limits matches regular expressions in linear time', () => {
    const start = cpuMs();
    assert.deepEqual(run('self.matches("^(a|aa)+$")', `${'a'.repeat(4_000)}!`), { ok: true, value: false });
    assert.ok(cpuMs() - start < 2_000);
  });

  it('an expression within the limits may compute a pattern, which has a maximum length', () => {
    assert.deepEqual(run('self.matches("^" + cr.namespace)', 'ab'), { ok: true, value: true });
    assert.match(errorOf(run('"a".matches(self)', 'a'.repeat(2_000))) ?? '', /exceeds 1024 characters/);
  });
});

describe('an expression beyond the limits', () => {
  it('an expression beyond the limits may be too long', () =>
    assert.match(errorOf(compile(`self == '${'a'.repeat(1_024)}'`)) ?? '', /the maximum is 1024/));
  it('an expression beyond the limits may be nested too deep for the parser, and an error like any other', () => {
    assert.equal(compile(`${'('.repeat(500)}1${')'.repeat(500)} == 1`).ok, false);
    assert.equal(compile(`${'['.repeat(500)}1${']'.repeat(500)} == 1`).ok, false);
  });
  it('an expression beyond the limits may use functions that are not supported', () => {
    for (const expression of ['self.format([]) == ""', "b'a' + b'b' == b'ab'", 'self.split(".", 1).size() == 1'])
      assert.match(errorOf(compile(expression)) ?? '', /is not supported/);
  });
});

it('an expression cannot reach the objects of the process', () => {
  for (const expression of ['self.constructor == 1', 'cr.__proto__ == 1', 'self.__proto__ == 1', 'constructor == 1']) {
    const program = compile(expression);
    if (program.ok) assert.equal(program.value(VALIDATION_SAMPLE).ok, false, expression);
  }
});
