// Signing keys: which PEM is accepted, with which errors; the signature algorithm of each key; and that no key
// is printed.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { encodeBitString, encodeInteger, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { CURVE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { loadSigningKey, parseSigningKey } from '@countersign/signer/authority/signing-key.ts';
import { errorOf, readKey, readPki, valueOf } from '../../../support/pki.ts';

const ACCEPTED: readonly (readonly [file: string, kind: string, algorithm: string, digest: string | null])[] = [
  ['rsa2048', 'rsa', 'rsaSha256', 'sha256'],
  ['rsa2048-pkcs1', 'rsa', 'rsaSha256', 'sha256'],
  ['rsa3072', 'rsa', 'rsaSha384', 'sha384'],
  ['rsa4096', 'rsa', 'rsaSha512', 'sha512'],
  ['p256', 'ec', 'ecdsaSha256', 'sha256'],
  ['p384', 'ec', 'ecdsaSha384', 'sha384'],
  ['p256-compressed', 'ec', 'ecdsaSha256', 'sha256'],
  ['p384-sec1', 'ec', 'ecdsaSha384', 'sha384'],
  ['p384-with-parameters', 'ec', 'ecdsaSha384', 'sha384'],
  ['p521', 'ec', 'ecdsaSha512', 'sha512'],
  ['ed25519', 'ed25519', 'ed25519', null],
];

for (const [file, kind, algorithm, digest] of ACCEPTED) {
  test(`the key ${file} is parsed and signs with ${algorithm}`, async () => {
    const key = readKey(file);
    const { name } = valueOf(key.signatureAlgorithm);
    assert.deepEqual([key.algorithm, name], [kind, algorithm]);
    const data = Buffer.from('to be signed');
    const publicKey = createPublicKey(readPki(`keys/${file}`));
    assert.equal(verify(digest, data, publicKey, await key.sign(data)), true);
    assert.equal(key.isKeyOf(publicKey.export({ format: 'der', type: 'spki' })), true);
  });
}

for (const [file, identifier] of [
  ['rsa2048', '300d06092a864886f70d01010b0500'],
  ['p256', '300a06082a8648ce3d040302'],
  ['ed25519', '300506032b6570'],
] as const) {
  test(`the algorithm identifier of ${file} has the required parameters`, () => {
    assert.equal(valueOf(readKey(file).signatureAlgorithm).der.toString('hex'), identifier);
  });
}

const SIGNS_NOTHING: readonly (readonly [file: string, error: string])[] = [
  ['rsa1024', 'invalid size 1024 for RSA key on signing certificate'],
  ['p224', 'unknown/unsupported curve attached to ECDSA signing certificate'],
];

for (const [file, error] of SIGNS_NOTHING) {
  test(`the key ${file} is parsed but may not sign`, async () => {
    const key = readKey(file);
    assert.deepEqual(key.signatureAlgorithm, { ok: false, error });
    await assert.rejects(key.sign(Buffer.from('x')), { message: error });
  });
}

const pkcs8 = (body: string) => `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
const REJECTED: readonly (readonly [what: string, pem: string, error: string])[] = [
  ['an empty text', '', 'error decoding private key PEM block: no PEM data was found in given input'],
  ['text', 'secret', 'error decoding private key PEM block: no PEM data was found in given input'],
  [
    'a curve without a key',
    readPki('keys/p384-with-parameters').replace(/-----BEGIN EC PRIVATE.*/s, ''),
    'error decoding private key PEM block: no PEM data was found in given input',
  ],
  [
    'oversized PEM',
    pkcs8('A'.repeat(13_000)),
    'error decoding private key PEM block: provided PEM data was larger than the maximum 13000B',
  ],
  ['a certificate', readPki('certificates/root'), 'unknown private key type: CERTIFICATE'],
  ['an encrypted key', readPki('keys/encrypted'), 'unknown private key type: ENCRYPTED PRIVATE KEY'],
  ['invalid PKCS#8', pkcs8('AAAA'), 'error parsing pkcs#8 private key: malformed key'],
  [
    'a key on a curve unknown to Go',
    readPki('keys/secp256k1'),
    'error parsing pkcs#8 private key: unknown elliptic curve: use a key on the named curve P-256, P-384 or P-521',
  ],
  ['an unsupported key type', readPki('keys/ed448'), 'error parsing pkcs#8 private key: unsupported key type ed448'],
  [
    'an RSA key bound to PSS',
    readPki('keys/rsa-pss'),
    'error parsing pkcs#8 private key: unsupported key type rsa-pss',
  ],
];

for (const [what, pem, error] of REJECTED) {
  test(`parseSigningKey rejects ${what}`, () => assert.equal(errorOf(parseSigningKey(pem)), error));
}

for (const file of ['rsa2048', 'p256', 'p521', 'ed25519']) {
  test(`the key ${file} proves that its halves match`, async () => {
    assert.equal(valueOf(await loadSigningKey(readPki(`keys/${file}`))).algorithm, readKey(file).algorithm);
  });
}

/** Returns an EC private key with the public key of another key, or with value 0 (RFC 5915 section 3). */
function damagedKey(number: Buffer, point: Buffer): string {
  const octets = tlv(TAG.octetString, number);
  const key = sequence(
    encodeInteger(Buffer.of(1)),
    octets,
    tlv(0xa0, encodeOid(CURVE.p256)),
    tlv(0xa1, encodeBitString(point)),
  );
  return formatPem('EC PRIVATE KEY', key);
}

function pointOf(file: string): Buffer {
  return readKey(file).publicKeySpki.subarray(-65);
}

const DAMAGED: readonly (readonly [what: string, number: Buffer])[] = [
  [
    'the value of another key',
    Buffer.from(createPrivateKey(readPki('keys/p256')).export({ format: 'jwk' }).d ?? '', 'base64url'),
  ],
  ['the value 0', Buffer.alloc(32)],
];

for (const [what, number] of DAMAGED) {
  test(`a key with ${what} is rejected`, async () => {
    const loaded = await loadSigningKey(damagedKey(number, pointOf('p256-root')));
    assert.match(errorOf(loaded) ?? '', /does not match the public key|is out of range for its curve/);
  });
}

test('an RSA key larger than 8192 bits is rejected: each signature would take a fifth of a second', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 8_200 });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  const error = 'error parsing pkcs#8 private key: the RSA key has 8200 bits; the maximum is 8192';
  assert.equal(errorOf(parseSigningKey(pem)), error);
});

test('many signatures with one RSA key leave thread pool capacity to other keys', async () => {
  const [slow, fast] = [readKey('rsa4096'), readKey('rsa2048')];
  const done: string[] = [];
  const many = Array.from({ length: 40 }, () => slow.sign(Buffer.from('slow')).then(() => done.push('slow')));
  await fast.sign(Buffer.from('fast')).then(() => done.push('fast'));
  // Queued behind all of them, it would be among the last.
  assert.ok(done.length <= 20, `${done.length} signatures were made before`);
  await Promise.all(many);
  assert.equal(done.length, 41);
});

test('a key matches its public half, whether its point is compressed or not', () => {
  assert.equal(readKey('p256-compressed').isKeyOf(readKey('p256').publicKeySpki), true);
  assert.equal(readKey('p256').isKeyOf(readKey('p256-compressed').publicKeySpki), true);
});

test('a key does not match another public key or invalid bytes', () => {
  assert.equal(readKey('p256').isKeyOf(readKey('p256-root').publicKeySpki), false);
  assert.equal(readKey('p256').isKeyOf(Buffer.from('no key')), false);
});

test('a key can be parsed after a comparison with a key of another type', () => {
  const pem = readPki('keys/p256');
  assert.equal(readKey('p256').isKeyOf(readKey('rsa2048').publicKeySpki), false);
  assert.equal(parseSigningKey(pem).ok, true);
});

test('a signing key never prints its private half', () => {
  const pem = readPki('keys/p256');
  const key = valueOf(parseSigningKey(pem));
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url');
  const printed = [
    inspect(key),
    inspect({ key }, { depth: 9, showHidden: true }),
    JSON.stringify({ key }),
    ''.concat(key as unknown as string),
  ];
  const properties = inspect(Object.getOwnPropertyDescriptors(key), { depth: 9, showHidden: true, getters: true });
  for (const text of [...printed, properties]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      assert.ok(!text.includes(secret.toString(encoding)), text);
    }
    assert.ok(!text.includes('PrivateKeyObject'), text);
  }
  assert.deepEqual(printed[2], '{"key":"[signing key: ec]"}');
});
