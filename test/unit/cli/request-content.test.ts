// What `explain` shows of a request: every name, whatever its kind, and no text that could be taken for another name.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findDifferences } from '@countersign/cli/certificate/differences.ts';
import { subjectText } from '@countersign/cli/certificate/name-text.ts';
import { decodeCsr, decodePkcs10 } from '@countersign/cli/certificate/request-content.ts';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { valueOf } from '../../support/pki.ts';
import { readRequest } from '../../support/vectors.ts';

const UTF8_STRING = 0x0c;
const attribute = (oid: string, text: string) => sequence(encodeOid(oid), tlv(UTF8_STRING, Buffer.from(text)));
const rdn = (oid: string, text: string) => tlv(TAG.set, attribute(oid, text));
const [CN, O] = ['2.5.4.3', '2.5.4.10'];

function requestWithNames(...names: readonly Buffer[]): string {
  return buildRequest([{ oid: EXTENSION.subjectAltName, value: sequence(...names) }]);
}

function contentOf(request: string) {
  return valueOf(decodePkcs10(buildCsr({ request })));
}

describe('the content of a request', () => {
  test('the content of a request has the names of every kind', () => {
    const { names, key, signature } = contentOf(readRequest('names'));
    assert.deepEqual(
      names.map(({ type, value }) => `${type} ${value}`),
      [
        'DNS name example.com',
        'IP address 192.0.2.1',
        'IP address 2001:db8::1',
        'email address jane@example.com',
        'URI spiffe://example.com/x',
        'other name 1.2.3.4: other',
      ],
    );
    assert.deepEqual([key, signature], ['ECDSA P-256', 'valid']);
  });

  const kinds = [
    ['a directory name', tlv(GENERAL_NAME.directoryName, sequence(rdn(CN, 'admin'))), 'directory name CN=admin'],
    ['a registered ID', tlv(GENERAL_NAME.registeredId, Buffer.of(0x2a, 3)), 'registered ID 1.2.3'],
    [
      'a user principal name',
      tlv(
        GENERAL_NAME.otherName,
        encodeOid('1.3.6.1.4.1.311.20.2.3'),
        tlv(0xa0, tlv(UTF8_STRING, Buffer.from('root@example.com'))),
      ),
      'other name UPN (1.3.6.1.4.1.311.20.2.3): root@example.com',
    ],
    ['an X.400 address', tlv(GENERAL_NAME.x400Address, Buffer.of(0x30, 0)), 'X.400 address 0x3000'],
    ['an EDI party name', tlv(GENERAL_NAME.ediPartyName, Buffer.of(0x30, 0)), 'EDI party name 0x3000'],
  ] as const;
  for (const [what, name, shown] of kinds) {
    test(`the content of a request shows ${what}`, () => {
      const [found] = contentOf(requestWithNames(name)).names;
      assert.equal(`${found?.type} ${found?.value}`, shown);
    });
  }

  test('the content of a request shows a second common name, and one with a separator cannot pass for two attributes', () => {
    assert.equal(subjectText(sequence(rdn(CN, 'a'), rdn(CN, 'b'))), 'CN=a,CN=b');
    assert.equal(subjectText(sequence(rdn(CN, 'a,O=system:masters'))), 'CN=a\\,O\\=system:masters');
    assert.equal(subjectText(sequence(tlv(TAG.set, attribute(CN, 'a+b'), attribute(O, ' c ')))), 'CN=a\\+b+O=\\ c\\ ');
  });

  test('the content of a request says that the signature of the request is invalid', () => {
    assert.equal(contentOf(readRequest('bad-signature')).signature, 'invalid');
  });

  test('the content of a request has an error for a request that cannot be decoded', () => {
    const decoded = decodePkcs10(buildCsr({ request: readRequest('not-pem') }));
    assert.match(decoded.ok ? '' : decoded.error, /no PEM data was found/);
  });

  test('the content of a request has the duration and where it comes from', () => {
    const annotations = { 'experimental.cert-manager.io/request-duration': '1h' };
    const durationOf = (order: object) => {
      const { duration, durationFrom } = decodeCsr(buildCsr(order));
      return `${duration} ${durationFrom}`;
    };
    assert.equal(durationOf({}), '2160h (90 days) default');
    assert.equal(durationOf({ expirationSeconds: 3_600 }), '1h spec.expirationSeconds');
    assert.equal(durationOf({ expirationSeconds: 7_200, annotations }), '1h annotation');
    assert.equal(
      durationOf({ annotations: { ...annotations, 'experimental.cert-manager.io/request-duration': '3d' } }),
      'invalid annotation',
    );
  });
});

describe('the differences between a request and its CSR', () => {
  const differencesOf = (order: Parameters<typeof buildCsr>[0]) => {
    const csr = buildCsr(order);
    return findDifferences(csr, valueOf(decodePkcs10(csr)), decodeCsr(csr));
  };

  test('the differences between a request and its CSR are none for a plain request', () =>
    assert.deepEqual(differencesOf({}), []));

  test('the differences between a request and its CSR have a usage that the CSR does not name', () => {
    assert.deepEqual(differencesOf({ request: readRequest('serving') }), [
      "encoded CSR error: the ExtKeyUsages [ 'server auth' ] do not match the expected ExtKeyUsages []",
    ]);
  });

  test('the differences between a request and its CSR have the CA flag that only the annotation asks for', () => {
    const annotations = { 'experimental.cert-manager.io/request-is-ca': 'true' };
    assert.match(differencesOf({ annotations }).join(), /annotation request-is-ca makes the certificate a CA/);
  });

  test('the differences between a request and its CSR have the extensions that the certificate will not have', () => {
    const request = buildRequest([{ oid: '1.2.3.4', value: Buffer.of(5, 0) }]);
    assert.deepEqual(differencesOf({ request }), ['extensions that the certificate will not have: 1.2.3.4']);
  });

  test('the differences between a request and its CSR have a duration that the annotation overrides', () => {
    const annotations = { 'experimental.cert-manager.io/request-duration': '1h' };
    assert.match(
      differencesOf({ expirationSeconds: 7_200, annotations }).join(),
      /\(1h0m0s\) takes precedence .* \(7200\)/,
    );
  });

  test('the differences between a request and its CSR have letters that look like others', () => {
    const request = buildRequest([], undefined, sequence(rdn(CN, '\u0430dmin')));
    assert.match(differencesOf({ request }).join(), /outside ASCII, which may look like others: U\+0430/);
  });
});
