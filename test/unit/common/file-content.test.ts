// Explanations of files that no tool would write; test/component/file-mistakes.test.ts has those that tools write.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainContent, type Wanted } from '@countersign/common/file-content.ts';
import { sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import * as fc from 'fast-check';
import { readPki } from '../../support/pki.ts';

const SECRET = 'correct-horse';
const wanted = fc.constantFrom<Wanted>('certificate', 'private key');

const element = fc
  .tuple(fc.constantFrom<number>(TAG.integer, TAG.sequence, TAG.octetString, TAG.bitString, TAG.oid, 0xa0), fc.nat(4))
  .map(([tag, length]) => tlv(tag, Buffer.from(SECRET.slice(0, length))));
const der = fc.array(element, { maxLength: 5 }).map(elements => sequence(...elements));
const pem = fc
  .array(fc.constantFrom(SECRET, 'CERTIFICATE', 'EC PRIVATE KEY', 'CERTIFICATE REQUEST', 'PKCS7', 'DH PARAMETERS'))
  .map(labels => Buffer.from(labels.map(label => `-----BEGIN ${label}-----\n${SECRET}\n`).join('')));
const octets = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes));

describe('explainContent', () => {
  it('explainContent never throws and never repeats content', () => {
    fc.assert(
      fc.property(fc.oneof(der, pem, octets), wanted, (bytes, what) => {
        const said = explainContent(bytes, what) ?? '';
        assert.ok(!said.includes(SECRET), said);
        assert.match(said, /^$|^(found|expected) [ -~]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('explainContent is undefined for the wanted content', () => {
    assert.equal(explainContent(Buffer.from(readPki('certificates/root')), 'certificate'), undefined);
    for (const key of ['p256', 'rsa2048-pkcs1', 'p384-sec1', 'p384-with-parameters']) {
      assert.equal(explainContent(Buffer.from(readPki(`keys/${key}`)), 'private key'), undefined);
    }
  });

  it('explainContent recognizes a PKCS#12 file in BER with indefinite length', () => {
    const bytes = Buffer.concat([Buffer.from('3080020103', 'hex'), Buffer.alloc(20)]);
    assert.match(explainContent(bytes, 'certificate') ?? '', /^found a PKCS#12 file/);
  });
});
