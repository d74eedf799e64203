// Shortening of text chosen by others.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { shorten } from '@countersign/common/short-text.ts';

it('shorten keeps a text of 256 characters, and cuts a longer one to 256', () => {
  const text = 'x'.repeat(256);
  assert.equal(shorten(text), text);
  assert.equal(shorten(`${text}x`), `${'x'.repeat(255)}…`);
});

it('shorten cuts to a given length', () => assert.equal(shorten('abcdef', 4), 'abc…'));
