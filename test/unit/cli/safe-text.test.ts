// What others chose is printed without any effect on the terminal.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatReport } from '@countersign/cli/terminal/report.ts';
import { safeLines, safeText } from '@countersign/cli/terminal/safe-text.ts';
import { formatStructured } from '@countersign/cli/terminal/structured.ts';
import { createStyle, wantsColours } from '@countersign/cli/terminal/style.ts';
import fc from 'fast-check';
import { parse } from 'yaml';

const DANGEROUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Any code points, lone surrogates included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 300 })
  .map(points => String.fromCodePoint(...points));

describe('text that others chose', () => {
  const cases = [
    ['a colour', '\u001b[31mred', '\\x1b[31mred'],
    ['a window title', '\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['an 8-bit control sequence', '\u009b2J', '\\x9b2J'],
    ['a carriage return', 'bad\rgood', 'bad\\x0dgood'],
    ['a line break', 'a\nb', 'a\\x0ab'],
    ['a bidirectional override', 'a\u202eb', 'a\\u202eb'],
    ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['a stack of combining marks', 'a\u0300\u0300\u0300\u0300b', 'a\u0300\u0300…b'],
    ['a letter of another script', 'bücher', 'bücher'],
  ] as const;
  for (const [what, text, printed] of cases) {
    test(`${what} is printed as ${JSON.stringify(printed)}`, () => assert.equal(safeText(text), printed));
  }

  test('long text ends with an ellipsis', () => {
    assert.equal(safeText('x'.repeat(100_000)).length, 256);
    assert.match(safeText('x'.repeat(100_000)), /x…$/);
  });

  test('random text never has a character that a terminal interprets', () =>
    fc.assert(
      fc.property(anyText, text => {
        assert.doesNotMatch(safeText(text), DANGEROUS);
        assert.doesNotMatch(safeLines(text).replaceAll('\n', ''), DANGEROUS);
      }),
    ));

  test('a report escapes titles, labels, values and prose', () => {
    const evil = '\u001b[2J\u009b1m\u202e';
    const sections = [{ title: evil, rows: [{ label: evil, values: [evil] }], text: `${evil}\n${evil}` }];
    assert.doesNotMatch(formatReport(sections, createStyle(false)).replaceAll('\n', ''), DANGEROUS);
  });

  test('a report shows fifty values of a row and counts the others', () => {
    const values = Array.from({ length: 1_000 }, (_, at) => `name-${at}`);
    const text = formatReport([{ title: 'Names', rows: [{ label: 'Names', values }] }], createStyle(false));
    assert.equal(text.split('\n').length, 53);
    assert.match(text, /… and 950 more; -o json shows all/);
  });
});

describe('structured output', () => {
  for (const format of ['json', 'yaml'] as const) {
    test(`${format} has the exact values, and no character that a terminal interprets`, () =>
      fc.assert(
        fc.property(fc.jsonValue(), anyText, (value, text) => {
          const printed = formatStructured({ value, text, list: [text, [text], {}, []] }, format);
          assert.doesNotMatch(printed.replaceAll('\n', ''), DANGEROUS);
          const plain = JSON.parse(JSON.stringify({ value, text, list: [text, [text], {}, []] }));
          assert.deepEqual(format === 'json' ? JSON.parse(printed) : parse(printed), plain);
        }),
      ));
  }
});

describe('colours', () => {
  test('colours are used on a terminal only', () => {
    assert.equal(wantsColours(true, {}), true);
    assert.equal(wantsColours(false, {}), false);
  });
  test('colours are not used if NO_COLOR is set or the terminal is dumb', () => {
    assert.equal(wantsColours(true, { NO_COLOR: '1' }), false);
    assert.equal(wantsColours(true, { NO_COLOR: '' }), true);
    assert.equal(wantsColours(true, { TERM: 'dumb' }), false);
  });
});
