// What ACME and Venafi issuers can never issue, case by case.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findAcmeProblem, findVenafiProblem } from '@countersign/common/issuers/delegated-rules.ts';
import { findExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { pkcs10Of, type WrittenRequest } from '../../support/approval/written-request.ts';
import { valueOf } from '../../support/pki.ts';

function requestOf(written: WrittenRequest) {
  const request = valueOf(parsePkcs10(pkcs10Of(written)));
  return { ...request, subjectAltName: findExtension(request, EXTENSION.subjectAltName)?.value };
}

const INVALID_ORDER =
  'The CSR PEM requests a commonName that is not present in the list of dnsNames or ipAddresses. If a commonName is set, ACME requires that the value is also present in the list of dnsNames or ipAddresses: ';

describe('an ACME issuer', () => {
  const cases: readonly (readonly [name: string, WrittenRequest, problem: string | undefined])[] = [
    ['accepts a request without a common name', { names: ['dns:a.example'] }, undefined],
    ['accepts a common name among the DNS names', { subject: ['CN=a.example'], names: ['dns:a.example'] }, undefined],
    ['accepts a common name among the addresses', { subject: ['CN=10.0.0.1'], names: ['ip:10.0.0.1'] }, undefined],
    [
      'refuses another common name with the text of cert-manager',
      { subject: ['CN=b.example'], names: ['dns:a.example', 'dns:c.example', 'ip:10.0.0.1'] },
      `${INVALID_ORDER}"b.example" does not exist in [a.example c.example] or [10.0.0.1]`,
    ],
    [
      'refuses a common name where there is no subjectAltName',
      { subject: ['CN=b.example'] },
      `${INVALID_ORDER}"b.example" does not exist in [] or []`,
    ],
    [
      'takes the last common name, as Go does',
      { subject: ['CN=b.example', 'CN=a.example'], names: ['dns:a.example'] },
      undefined,
    ],
    [
      'compares a common name with names of other types not at all',
      { subject: ['CN=a@b.example'], names: ['email:a@b.example'] },
      `${INVALID_ORDER}"a@b.example" does not exist in [] or []`,
    ],
  ];
  for (const [name, written, problem] of cases)
    it(name, () => assert.equal(findAcmeProblem(requestOf(written)), problem));

  it('an ACME issuer has a text of limited length for any number of names', () => {
    const names = Array.from({ length: 900 }, (_, at) => `dns:name-${at}.example`);
    assert.ok((findAcmeProblem(requestOf({ subject: ['CN=x'], names })) ?? '').length <= 2_000);
  });
});

describe('a Venafi issuer', () => {
  it('a Venafi issuer refuses a request without a subject', () =>
    assert.match(findVenafiProblem(requestOf({ names: ['dns:a.example'] })) ?? '', /has no subject/));
  it('a Venafi issuer accepts any field of a subject', () =>
    assert.equal(findVenafiProblem(requestOf({ subject: ['O=team'] })), undefined));
});
