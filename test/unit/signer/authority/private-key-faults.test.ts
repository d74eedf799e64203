// Private keys that OpenSSL accepts and Go rejects: inconsistent values or non-standard encodings.

import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { test } from 'node:test';
import {
  encodeInteger,
  encodeOctetString,
  encodeOid,
  readChildren,
  readWhole,
  sequence,
  tlv,
} from '@countersign/common/x509/der.ts';
import { CURVE, PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { formatPem, parsePem } from '@countersign/common/x509/pem.ts';
import { parseSigningKey } from '@countersign/signer/authority/signing-key.ts';
import { errorOf, readPki, valueOf } from '../../../support/pki.ts';

function elementsOf(file: string): readonly Buffer[] {
  const [block] = valueOf(parsePem(readPki(`keys/${file}`)));
  return valueOf(readChildren(valueOf(readWhole(block?.der ?? Buffer.alloc(0))))).map(({ bytes }) => bytes);
}

/** Returns the RSA key with the number at this place replaced (0 is the version). */
function rsaWith(place: number, number: Buffer): string {
  return formatPem('RSA PRIVATE KEY', sequence(...elementsOf('rsa2048-pkcs1').with(place, number)));
}

const [version = Buffer.alloc(0), number = Buffer.alloc(0), parameters = Buffer.alloc(0), point = Buffer.alloc(0)] =
  elementsOf('p384-sec1');
const ec = (...elements: readonly Buffer[]) => formatPem('EC PRIVATE KEY', sequence(...elements));
const ofSize = (size: number, octet = 1) => encodeOctetString(Buffer.alloc(size, octet));
const named = (curve: string) => tlv(0xa0, encodeOid(curve));
const pkcs8 = (curve: string) =>
  sequence(
    encodeInteger(Buffer.of(0)),
    sequence(encodeOid(PUBLIC_KEY.ec), encodeOid(curve)),
    encodeOctetString(sequence(version, number, parameters, point)),
  );

const RSA = 'error parsing rsa private key: ';
const EC = 'error parsing ecdsa private key: ';
const INCONSISTENT = 'the RSA private key is inconsistent';
const OUT_OF_RANGE = 'the private key is out of range for its curve';
const NO_CURVE = 'unknown elliptic curve: use a key on the named curve P-256, P-384 or P-521';
const three = encodeInteger(Buffer.of(3));

const REJECTED: readonly (readonly [what: string, pem: string, error: string])[] = [
  ['an RSA key with a wrong private exponent', rsaWith(3, three), `${RSA}${INCONSISTENT}`],
  ['an RSA key with a wrong prime', rsaWith(4, elementsOf('rsa2048-pkcs1')[5] as Buffer), `${RSA}${INCONSISTENT}`],
  ['an RSA key with a wrong exponent for its first prime', rsaWith(6, three), `${RSA}${INCONSISTENT}`],
  ['an RSA key with a wrong exponent for its second prime', rsaWith(7, three), `${RSA}${INCONSISTENT}`],
  ['an RSA key with a wrong coefficient', rsaWith(8, three), `${RSA}${INCONSISTENT}`],
  ['an RSA key with three primes', rsaWith(0, encodeInteger(Buffer.of(1))), `${RSA}malformed key`],
  [
    'an RSA key with an even exponent',
    rsaWith(2, encodeInteger(Buffer.of(4))),
    `${RSA}the RSA public exponent must be odd, from 3 to 2^31 - 1`,
  ],
  ['an EC key with the value 0', ec(version, ofSize(48, 0), parameters), `${EC}${OUT_OF_RANGE}`],
  ['an EC key with a value above the order', ec(version, ofSize(48, 0xff), parameters), `${EC}${OUT_OF_RANGE}`],
  ['an EC key without a curve', ec(version, number, point), `${EC}${NO_CURVE}`],
  ['an EC key on a curve unknown to Go', ec(version, number, named('1.3.132.0.10')), `${EC}${NO_CURVE}`],
  ['an EC key at infinity', ec(version, number, parameters, tlv(0xa1, tlv(3, Buffer.of(0, 0)))), `${EC}malformed key`],
  [
    'an EC key that names two curves',
    formatPem('PRIVATE KEY', pkcs8(CURVE.p256)),
    `error parsing pkcs#8 private key: ${NO_CURVE}`,
  ],
];

for (const [what, pem, error] of REJECTED) {
  test(`${what} is rejected, as in Go`, () => assert.equal(errorOf(parseSigningKey(pem)), error));
}

for (const [what, pem] of [
  ['missing leading zeros', ec(version, ofSize(40), parameters)],
  [
    'an extra leading zero',
    ec(version, encodeOctetString(Buffer.concat([Buffer.of(0), Buffer.alloc(48, 1)])), parameters),
  ],
  ['no public key', ec(version, number, parameters)],
] as const) {
  test(`an EC key with ${what} is accepted, as in Go`, () => assert.equal(errorOf(parseSigningKey(pem)), undefined));
}

/** SEC 2 section 2; the test verifies them with OpenSSL. */
const ORDERS = {
  p224: 'ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d',
  p256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  p384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  p521: '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
} as const;
const NAMES = { p224: 'secp224r1', p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' } as const;

function isAcceptedByOpenssl(curve: keyof typeof ORDERS, candidate: Buffer): boolean {
  try {
    createECDH(NAMES[curve]).setPrivateKey(candidate);
    return true;
  } catch {
    return false;
  }
}

for (const curve of ['p224', 'p256', 'p384', 'p521'] as const) {
  test(`a private key on ${curve} must be below the curve order, as in OpenSSL`, () => {
    const order = Buffer.from(ORDERS[curve], 'hex');
    const largest = Buffer.from(order).fill((order.at(-1) ?? 0) - 1, order.length - 1);
    const isAccepted = (candidate: Buffer) =>
      parseSigningKey(ec(version, encodeOctetString(candidate), named(CURVE[curve]))).ok;
    assert.deepEqual([isAcceptedByOpenssl(curve, largest), isAcceptedByOpenssl(curve, order)], [true, false]);
    assert.deepEqual([isAccepted(largest), isAccepted(order)], [true, false]);
  });
}
