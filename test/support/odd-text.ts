// Texts that a user may write where a name is wanted, for properties: what kubelet garbles, what is not ASCII, and
// parts of names.

import * as fc from 'fast-check';

const UNITS = [
  ...Array.from('abzAZ09.-*,$ /_:"\'%\\\n\0\x7f\u00fc\u212a\u{1f600}'),
  '\ud800',
  '${POD_NAME}',
  '$POD_UID',
  '${',
];

/** Of at most 40 units. Not of the whole of Unicode, which takes seconds of CPU to prepare. */
export const oddText: fc.Arbitrary<string> = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 40 });
