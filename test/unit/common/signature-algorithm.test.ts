// Which keys a SelfSigned issuer can sign with, by their public key. For available keys the signer's test
// (admitted-never-fails.test.ts) compares it with the signer; these keys take minutes to generate.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeBitString, encodeInteger, encodeOid, sequence, tlv } from '@countersign/common/x509/der.ts';
import { PUBLIC_KEY } from '@countersign/common/x509/oids.ts';
import { findSignerProblem } from '@countersign/common/x509/signature-algorithm.ts';

/** An RSA public key of this size with unknown primes. */
function rsaSpki(bits: number): Buffer {
  const modulus = Buffer.alloc(bits / 8, 0xff);
  const numbers = sequence(encodeInteger(modulus), encodeInteger(Buffer.of(1, 0, 1)));
  return sequence(sequence(encodeOid(PUBLIC_KEY.rsa), tlv(0x05)), encodeBitString(numbers));
}

describe('the key of a request for a SelfSigned issuer', () => {
  it('the key of a request for a SelfSigned issuer may have 8192 bits', () =>
    assert.equal(findSignerProblem(rsaSpki(8192)), undefined));
  it('the key of a request for a SelfSigned issuer must not have more, because the signer does not load it', () =>
    assert.equal(findSignerProblem(rsaSpki(8200)), 'the RSA key has 8200 bits; the maximum is 8192'));
  it('the key of a request for a SelfSigned issuer is not judged if it is not a valid key', () =>
    assert.equal(findSignerProblem(Buffer.from('3000', 'hex')), undefined));
});
