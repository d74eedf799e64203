// The extension values that are compared with the CSR, as bytes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBasicConstraints, parseExtKeyUsage, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('parseBasicConstraints', () => {
  for (const [hex, isCa] of [
    ['30 00', false],
    ['30 03 0101ff', true],
    ['30 03 010100', false],
    ['30 06 0101ff 020100', true],
    ['30 03 020103', false],
    ['30 0a 02087fffffffffffffff', false],
    ['30 03 0201ff', false],
  ] as const) {
    it(`parseBasicConstraints reads ${hex}`, () =>
      assert.deepEqual(parseBasicConstraints(bytes(hex)), { ok: true, value: { isCa } }));
  }

  for (const hex of [
    '',
    '30',
    '30 03 010101',
    '31 00',
    '30 00 00',
    '30 02 0500',
    '30 06 020100 0101ff',
    '30 09 0101ff 020100 020101',
    '30 80 0000',
    '30 05 0101ff 0200',
    '30 07 0101ff 02020000',
    '30 0b 0209010203040506070809',
  ]) {
    it(`parseBasicConstraints rejects ${hex || 'an empty value'}`, () =>
      assert.equal(parseBasicConstraints(bytes(hex)).ok, false));
  }
});

describe('parseKeyUsage', () => {
  for (const [hex, mask] of [
    ['03 02 0780', 1],
    ['03 02 05a0', 0b101],
    ['03 03 070080', 1 << 8],
    ['03 01 00', 0],
    ['03 03 00ffff', 0x1ff],
    ['03 05 00a0000000', 0b101],
    ['03 04 00a08000', 0x105],
  ] as const) {
    it(`parseKeyUsage reads ${hex}`, () => assert.deepEqual(parseKeyUsage(bytes(hex)), { ok: true, value: mask }));
  }

  for (const hex of ['', '03 00', '03 02 0881', '03 02 07ff', '04 01 80', '03 02 0780 00']) {
    it(`parseKeyUsage rejects ${hex || 'an empty value'}`, () => assert.equal(parseKeyUsage(bytes(hex)).ok, false));
  }
});

describe('parseExtKeyUsage', () => {
  it('parseExtKeyUsage keeps the order, unknown OIDs included', () => {
    const value = bytes('30 10 06082b06010505070302 06042a030405');
    assert.deepEqual(parseExtKeyUsage(value), { ok: true, value: ['1.3.6.1.5.5.7.3.2', '1.2.3.4.5'] });
  });

  for (const hex of ['', '06 03 2a0304', '30 02 0500', '30 03 06012a 00', '30 03 060180']) {
    it(`parseExtKeyUsage rejects ${hex || 'an empty value'}`, () =>
      assert.equal(parseExtKeyUsage(bytes(hex)).ok, false));
  }
});
