// Public keys: only those that the API server accepts in a request, in their one encoding.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { encodeBitString, encodeInteger, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { CURVE, PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { checkPublicKey } from '@countersign/common/x509/public-key.ts';
import { readPki } from '../../support/pki.ts';

/** An odd modulus of this many bits. */
function modulus(bits: number): Buffer {
  const octets = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  octets[0] = 0xff >> (octets.length * 8 - bits);
  return octets;
}

const NULL = tlv(TAG.null);
const EXPONENT = Buffer.of(1, 0, 1);

function rsaOf(octets: Buffer, ...parameters: readonly Buffer[]): Buffer {
  return sequence(sequence(encodeOid(PUBLIC_KEY.rsa), ...parameters), encodeBitString(octets));
}

function rsa(n: Buffer, e: Buffer): Buffer {
  return rsaOf(sequence(encodeInteger(n), encodeInteger(e)), NULL);
}

for (const [file, kind] of [
  ['rsa1024', 'rsa'],
  ['rsa2048', 'rsa'],
  ['rsa4096', 'rsa'],
  ['p224', 'ec'],
  ['p256', 'ec'],
  ['p384', 'ec'],
  ['p521', 'ec'],
  ['ed25519', 'ed25519'],
] as const) {
  test(`checkPublicKey recognizes the type of ${file}`, () => {
    const spki = createPublicKey(readPki(`keys/${file}`)).export({ format: 'der', type: 'spki' });
    assert.deepEqual(checkPublicKey(spki), { ok: true, value: kind });
  });
}

for (const [what, e] of [
  ['the smallest exponent', Buffer.of(3)],
  ['the largest exponent', Buffer.from('7fffffff', 'hex')],
] as const) {
  test(`checkPublicKey accepts an RSA key with ${what}`, () =>
    assert.equal(checkPublicKey(rsa(modulus(1024), e)).ok, true));
}

const numbers = [encodeInteger(modulus(2048)), encodeInteger(EXPONENT)] as const;
const NO_FORM = 'malformed RSA public key: must consist of a modulus and an exponent; create a new key and request';
const NO_EXPONENT = 'the RSA public exponent must be odd and between 3 and 2^31 - 1: create a key with exponent 65537';
const NO_KIND = 'unsupported public key type: use RSA, ECDSA on P-224, P-256, P-384 or P-521, or Ed25519';
const NO_POINT = 'the ECDSA public key must be an uncompressed point on a named curve: P-224, P-256, P-384 or P-521';
const small = (bits: number) =>
  `the RSA public key has ${bits} bits; the minimum is 1024: create a key with at least 2048`;

const REFUSED: readonly (readonly [what: string, spki: Buffer, error: string])[] = [
  ['an RSA key of 1023 bits', rsa(modulus(1023), EXPONENT), small(1023)],
  [
    'an RSA key of 16385 bits',
    rsa(modulus(16_385), EXPONENT),
    'the RSA public key has 16385 bits; the maximum is 16384: create a key with 4096',
  ],
  ['an RSA key of 512 bits', rsa(modulus(512), EXPONENT), small(512)],
  ['an RSA key of no bits', rsa(Buffer.of(0), EXPONENT), small(0)],
  [
    'an even modulus',
    rsa(Buffer.concat([modulus(1016), Buffer.of(0xfe)]), EXPONENT),
    'the RSA modulus is even: create a new key',
  ],
  ['the exponent 1, with which anyone can sign', rsa(modulus(2048), Buffer.of(1)), NO_EXPONENT],
  ['an even exponent', rsa(modulus(2048), Buffer.of(4)), NO_EXPONENT],
  ['an exponent of 32 bits', rsa(modulus(2048), Buffer.from('80000001', 'hex')), NO_EXPONENT],
  [
    'trailing bytes after the two integers',
    rsaOf(Buffer.concat([sequence(...numbers), Buffer.from('junk')]), NULL),
    NO_FORM,
  ],
  ['a third integer', rsaOf(sequence(...numbers, numbers[1]), NULL), NO_FORM],
  ['only a modulus', rsaOf(sequence(numbers[0]), NULL), NO_FORM],
  ['no integers', rsaOf(Buffer.alloc(0), NULL), NO_FORM],
  ['a negative modulus', rsaOf(sequence(tlv(TAG.integer, modulus(2048)), numbers[1]), NULL), NO_FORM],
  ['a padded modulus', rsaOf(sequence(tlv(TAG.integer, Buffer.alloc(2), modulus(2048)), numbers[1]), NULL), NO_FORM],
  ['RSA parameters that are absent', rsaOf(sequence(...numbers)), NO_FORM],
  ['RSA parameters that are not empty', rsaOf(sequence(...numbers), tlv(TAG.null, Buffer.of(0))), NO_FORM],
  ['an unknown type', sequence(sequence(encodeOid('1.2.3')), encodeBitString(Buffer.alloc(32))), NO_KIND],
  [
    'a compressed point',
    sequence(sequence(encodeOid(PUBLIC_KEY.ec), encodeOid(CURVE.p256)), encodeBitString(Buffer.alloc(33, 2))),
    NO_POINT,
  ],
  [
    'a short Ed25519 key',
    sequence(sequence(encodeOid(PUBLIC_KEY.ed25519)), encodeBitString(Buffer.alloc(31))),
    'malformed Ed25519 public key: create a new key and request',
  ],
  [
    'a key with unused bits',
    sequence(sequence(encodeOid(PUBLIC_KEY.rsa), NULL), tlv(TAG.bitString, Buffer.of(1), sequence(...numbers))),
    'malformed public key: not an algorithm and a key without unused bits, in DER; create it with another tool',
  ],
];

for (const [what, spki, error] of REFUSED) {
  test(`checkPublicKey rejects ${what}`, () => assert.deepEqual(checkPublicKey(spki), { ok: false, error }));
}
