// The serial of a certificate: one for each CSR, and what is known for ours by it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveSerial, isSignedHere } from '@countersign/signer/issuance/serial.ts';
import { buildCertificateOf } from '../../../support/csr-builder.ts';

test('one CSR has one serial, positive in 20 octets, and no other CSR has it', () => {
  const serial = deriveSerial('a');
  assert.deepEqual(serial, deriveSerial('a'));
  assert.notDeepEqual(serial, deriveSerial('b'));
  const serials = Array.from({ length: 500 }, (_, at) => deriveSerial(`uid ${at}`));
  assert.ok(serials.every(({ length, 0: first = 0xff }) => length === 20 && first < 0x80));
});

test('a certificate is known for ours by the uid of its CSR alone, a leading zero included', () => {
  for (let at = 0; at < 60; at += 1) assert.ok(isSignedHere(buildCertificateOf(`uid ${at}`), `uid ${at}`));
  assert.equal(isSignedHere(buildCertificateOf('uid 1'), 'uid 2'), false);
  for (const other of ['', 'Zm9v', '%']) assert.equal(isSignedHere(other, 'uid 1'), false);
});
