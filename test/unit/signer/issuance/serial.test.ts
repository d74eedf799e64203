// The serial number of a certificate: unique per CSR, and the same each time.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { deriveSerial, hasDerivedSerial } from '@countersign/signer/issuance/serial.ts';
import { buildCertificateOf } from '../../../support/csr-builder.ts';

test('each CSR has one unique serial, positive in 20 octets', () => {
  const serial = deriveSerial('a');
  assert.deepEqual(serial, deriveSerial('a'));
  assert.notDeepEqual(serial, deriveSerial('b'));
  const serials = Array.from({ length: 500 }, (_, at) => deriveSerial(`uid ${at}`));
  assert.ok(serials.every(({ length, 0: first = 0xff }) => length === 20 && first < 0x80));
});

// printf 'countersign serial v1\0%s' "$uid" | sha256sum | cut -c1-40, without the top bit
for (const [uid, serial] of [
  ['uid-of-jane', '565a2f5af6bf296af7bcfc3cffd59d3ed4c83d22'],
  ['b6ad7ad5-61e9-4f44-9d6e-5a3d1a6d3c6b', '32a616eb3b49c0ef08a5260c3c50b722b438e54d'],
] as const) {
  test(`the serial for ${uid} is the same as in earlier releases`, () =>
    assert.equal(deriveSerial(uid).toString('hex'), serial));
}

const certificateOf = (uid: string) => Buffer.from(buildCertificateOf(uid), 'base64');

test('the serial derived from the uid of a CSR is recognized in its certificate, even with a leading zero', () => {
  for (let at = 0; at < 60; at += 1) assert.ok(hasDerivedSerial(certificateOf(`uid ${at}`), `uid ${at}`));
  assert.equal(hasDerivedSerial(certificateOf('uid 1'), 'uid 2'), false);
  for (const other of ['', 'foo', Buffer.of(0)]) assert.equal(hasDerivedSerial(other, 'uid 1'), false);
});

test('the certificate of another signer is recognized without parsing it, which would take 1 s for a list of 50 000', () => {
  const certificate = certificateOf('uid 1');
  const timeOf = (work: () => unknown) => {
    const { user } = process.cpuUsage();
    for (let turn = 0; turn < 3_000; turn += 1) work();
    return process.cpuUsage({ user, system: 0 }).user;
  };
  const parsing = timeOf(() => new X509Certificate(certificate));
  const recognizing = timeOf(() => hasDerivedSerial(certificate, 'uid 2'));
  assert.ok(recognizing < 0.8 * parsing, `${recognizing} µs, and ${parsing} µs to parse it`);
});
