// Checks the architecture decision records: the index lists each of them once, and each has the usual sections.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const FOLDER = new URL('../../../docs/adr/', import.meta.url);
const SECTIONS = ['Context', 'Decision', 'Consequences'];

const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8');
const records = readdirSync(FOLDER)
  .filter(file => file !== 'README.md')
  .toSorted();

test('docs/adr/README.md lists every decision record once, in order', () => {
  const listed = Array.from(read('README.md').matchAll(/^\| \[(\d+)\]\((.+?)\) \| \S/gm), ([, number, file]) => ({
    number: Number(number),
    file,
  }));
  assert.deepEqual(
    listed,
    records.map((file, index) => ({ number: index + 1, file })),
  );
});

for (const file of records) {
  test(`the decision record ${file} has its number, a status, a context, a decision and consequences`, () => {
    const text = read(file);
    assert.match(text, new RegExp(`^# ADR ${Number(file.slice(0, 4))}: \\S.*\n\nStatus: `));
    assert.deepEqual(
      Array.from(text.matchAll(/^## (.+)$/gm), ([, section]) => section),
      SECTIONS,
    );
  });
}
