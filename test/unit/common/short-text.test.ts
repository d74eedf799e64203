// Text that somebody else chose, as far as it is repeated.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { shorten } from '@countersign/common/short-text.ts';

it('keeps a text of 256 characters, and cuts a longer one to as many', () => {
  const text = 'x'.repeat(256);
  assert.equal(shorten(text), text);
  assert.equal(shorten(`${text}x`), `${'x'.repeat(255)}…`);
});

it('cuts to any other length', () => assert.equal(shorten('abcdef', 4), 'abc…'));
