// PEM: every block of a text is read, or the text is rejected; no block is overlooked.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import * as fc from 'fast-check';

const one = formatPem('CERTIFICATE', Buffer.from('one'));
const two = formatPem('CERTIFICATE', Buffer.from('two'));
const three = formatPem('CERTIFICATE', Buffer.from('three'));

const READ: readonly (readonly [what: string, text: string, blocks: readonly string[]])[] = [
  ['nothing', '', []],
  ['text alone', 'no PEM at all\n', []],
  ['blocks in their order', one + two + three, ['one', 'two', 'three']],
  ['text and blank lines around blocks', `subject=one\n\n${one}\n\n# two:\n${two}the end`, ['one', 'two']],
  [
    'blocks next to those in comments',
    `${one.replace(/^/gm, '# ')}\n${two}> ${three.replaceAll('\n', '\n> ')}`,
    ['two'],
  ],
  ['a label with a number', formatPem('PKCS #7 SIGNED DATA', Buffer.from('one')), ['one']],
  ['a last line without its break', one + two.trimEnd(), ['one', 'two']],
  ['trailing blanks', (one + two).replaceAll('\n', ' \t\n'), ['one', 'two']],
  ['lines that end in CRLF', (one + two).replaceAll('\n', '\r\n'), ['one', 'two']],
];

for (const [what, text, blocks] of READ) {
  test(`parsePem reads ${what}`, () => {
    const read = parsePem(text);
    assert.deepEqual(read.ok && read.value.map(({ der }) => der.toString()), blocks);
  });
}

const GLUED =
  'PEM block CERTIFICATE is followed by text on the same line: add a line break after -----END CERTIFICATE-----';
const STRAY = 'misplaced or unmatched -----BEGIN/-----END line: put each on its own line';

const REFUSED: readonly (readonly [what: string, text: string, error: string])[] = [
  ['two blocks without a line break between them', one.trimEnd() + two, GLUED],
  ['three blocks, the last two without a line break between them', one + two.trimEnd() + three, GLUED],
  ['text after the end of a block', `${one.trimEnd()} # one\n`, GLUED],
  ['a block after other text on its line', `one ${one}`, STRAY],
  ['an indented block', one + two.replace('-----BEGIN', ' -----BEGIN'), STRAY],
  ['a block after a byte order mark', `\uFEFF${one}`, STRAY],
  ['a BEGIN line with trailing text', one.replace('-----\n', '-----'), STRAY],
  ['a damaged BEGIN line', one + two.replace('-----BEGIN', '----BEGIN'), STRAY],
  ['an invalid label', one + two.replaceAll('CERTIFICATE', 'certificate'), STRAY],
  ['a block without an END line', one.replace(/-----END.*/, ''), 'PEM block CERTIFICATE has no -----END line'],
  [
    'a block with headers',
    one.replace('-----\n', '-----\nComment: x\n\n'),
    'PEM block CERTIFICATE has headers: remove them',
  ],
  [
    'an encrypted block',
    one.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n'),
    'PEM block CERTIFICATE is encrypted: provide it unencrypted',
  ],
  ['a block that begins twice', `-----BEGIN CERTIFICATE-----\n${one}`, 'PEM block CERTIFICATE is not valid base64'],
];

for (const [what, text, error] of REFUSED) {
  test(`parsePem rejects ${what}`, () => assert.deepEqual(parsePem(text), { ok: false, error }));
}

test('parsePem reads every block or returns an error, whatever is between the blocks', () => {
  const between = fc.constantFrom('', '\n', ' ', '\r\n', 'text', '\ntext\n', 'text\n', '\ntext');
  fc.assert(
    fc.property(fc.array(between, { minLength: 2, maxLength: 6 }), texts => {
      const pem = texts.map(text => one.trimEnd() + text).join('');
      const read = parsePem(pem);
      assert.ok(!read.ok || read.value.length === texts.length, JSON.stringify(pem));
    }),
  );
});
