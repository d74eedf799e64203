// How the output of a command is compared with what a page of the documentation shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAsShown } from '../../support/pasted-commands.ts';

const TABLE = 'NAME     AGE   CONDITION\nmy-csr   12s   Pending\n';

for (const [what, output, shown, expected] of [
  ['the same output', TABLE, TABLE, true],
  ['another age and narrower columns', TABLE, 'NAME AGE CONDITION\nmy-csr 3s Pending\n', true],
  ['one of its lines', TABLE, 'my-csr 3s Pending\n', true],
  ['another word', TABLE, 'my-csr 3s Approved\n', false],
  ['the beginning of a word', TABLE, 'my-csr 3s Pend\n', false],
  ['a line more', TABLE, `${TABLE}other 3s Pending\n`, false],
  ['an ellipsis for a part of a line', 'Error: a, b, c\n', 'Error: … c\n', true],
  ['an ellipsis that would have to span lines', 'Error: a\nc\n', 'Error: … c\n', false],
  ['an ellipsis line for several lines', 'a\nb\nc\nd\n', 'a\n…\nd\n', true],
  ['an ellipsis line for no line', 'a\nd\n', 'a\n…\nd\n', true],
  ['an ellipsis line at each end', 'a\n', '…\na\n…\n', true],
  ['an ellipsis line and a line that is missing', 'a\nb\n', 'a\n…\nd\n', false],
  ['nothing', 'a\n', '', true],
] as const) {
  test(`an output ${expected ? 'matches' : 'does not match'} a page that shows ${what}`, () => {
    assert.equal(isAsShown(output, shown), expected);
  });
}
