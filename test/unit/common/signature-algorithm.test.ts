// Which keys a SelfSigned issuer could sign with, by their public half. With keys that are at hand the test beside the signer
// (admitted-never-fails.test.ts) holds it to what the signer does; here are those that take minutes to make.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeBitString, encodeInteger, encodeOid, sequence, tlv } from '@countersign/common/x509/der.ts';
import { PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { findSignerProblem } from '@countersign/common/x509/signature-algorithm.ts';

/** An RSA public key of this size whose primes nobody knows. */
function rsaSpki(bits: number): Buffer {
  const modulus = Buffer.alloc(bits / 8, 0xff);
  const numbers = sequence(encodeInteger(modulus), encodeInteger(Buffer.of(1, 0, 1)));
  return sequence(sequence(encodeOid(PUBLIC_KEY.rsa), tlv(0x05)), encodeBitString(numbers));
}

describe('the key of a request for a SelfSigned issuer', () => {
  it('may have 8192 bits', () => assert.equal(findSignerProblem(rsaSpki(8192)), undefined));
  it('may not have more, since the signer does not load it', () =>
    assert.equal(findSignerProblem(rsaSpki(8200)), 'the RSA key has 8200 bits; the maximum is 8192'));
  it('is not judged where it is no key at all', () =>
    assert.equal(findSignerProblem(Buffer.from('3000', 'hex')), undefined));
});
