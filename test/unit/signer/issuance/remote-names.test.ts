// Names of a remotely issued certificate compared with the requested ones: which make it useless or dangerous, and
// which are only worth a warning.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { findNameDifferences, findNameFault } from '@countersign/signer/issuance/remote-names.ts';
import { buildCsr, buildRequest } from '../../../support/csr-builder.ts';
import { readPki, valueOf } from '../../../support/pki.ts';

const OIDS = { CN: '2.5.4.3', O: '2.5.4.10', serialNumber: '2.5.4.5' };

/** Such as `CN=a,O=b`; `tag` is the string type. */
function nameOf(text: string, tag = 0x0c): Buffer {
  const parts = text === '' ? [] : text.split(',').map(part => part.split('=') as [keyof typeof OIDS, string]);
  return sequence(
    ...parts.map(([type, value]) => tlv(TAG.set, sequence(encodeOid(OIDS[type]), tlv(tag, Buffer.from(value))))),
  );
}

const dnsNames = (...names: readonly string[]) =>
  sequence(...names.map(name => tlv(GENERAL_NAME.dnsName, Buffer.from(name))));

function requestOf(subject: string, ...names: readonly string[]) {
  const extension = { oid: EXTENSION.subjectAltName, value: dnsNames(...names) };
  const request = buildRequest([extension], readPki('keys/p256'), nameOf(subject));
  return valueOf(toRequestedCertificate(buildCsr({ request }), AS_CERT_MANAGER));
}

const SUBJECT = 'the subject of the certificate differs from the requested one';
const EXTRA = 'the certificate has 1 names that were not requested';

describe('the names of a remotely issued certificate', () => {
  const requested = requestOf('CN=www.example.com,O=Example', 'a.example');
  for (const [what, subject, names, fault, differences] of [
    ['are the requested ones', 'CN=www.example.com,O=Example', ['a.example'], undefined, []],
    [
      'are fewer',
      '',
      [],
      undefined,
      ['missing: commonName www.example.com, subject.organizations Example, dnsNames a.example'],
    ],
    [
      'have the organization of the role',
      'CN=www.example.com,O=Role',
      ['a.example'],
      undefined,
      ['missing: subject.organizations Example', 'added: subject.organizations Role'],
    ],
    [
      'repeat the common name',
      'CN=www.example.com,O=Example',
      ['a.example', 'WWW.example.com'],
      undefined,
      ['added: dnsNames WWW.example.com'],
    ],
    [
      'have a requested DNS name as a common name',
      'CN=A.example,O=Example',
      ['a.example'],
      undefined,
      ['missing: commonName www.example.com', 'added: commonName A.example'],
    ],
    ['have another common name', 'CN=other,O=Example', ['a.example'], SUBJECT, undefined],
    ['have a second common name', 'CN=www.example.com,CN=other', ['a.example'], SUBJECT, undefined],
    ['have a serial number', 'CN=www.example.com,serialNumber=1', ['a.example'], SUBJECT, undefined],
    ['have another DNS name', 'CN=www.example.com', ['a.example', 'b.example'], EXTRA, undefined],
  ] as const) {
    it(`${what}: ${fault ?? 'accepted'}`, () => {
      const issued = { subject: nameOf(subject), subjectAltName: dnsNames(...names) };
      assert.equal(findNameFault(issued, requested), fault);
      if (differences) assert.deepEqual(findNameDifferences(issued, requested), differences);
    });
  }

  it('the names of a remotely issued certificate may be encoded in another string type', () => {
    const issued = { subject: nameOf('CN=www.example.com,O=Example', 0x13), subjectAltName: dnsNames('a.example') };
    assert.deepEqual([findNameFault(issued, requested), findNameDifferences(issued, requested)], [undefined, []]);
  });

  it('the names of a remotely issued certificate are shown up to five, each cut', () => {
    const many = Array.from({ length: 9 }, (_, index) => `${index}${'x'.repeat(50)}.${'y'.repeat(60)}.example`);
    const [missing = ''] = findNameDifferences(
      { subject: nameOf(''), subjectAltName: undefined },
      requestOf('', ...many),
    );
    assert.match(missing, / and 4 more$/);
    assert.ok(missing.length < 700);
  });
});
