// Requests for issuers whose certificates cert-manager issues: the rules of their types apply only with delegation.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { CA, csr, review } from '../../support/admission-reviews.ts';
import { pkcs10Of, type WrittenRequest } from '../../support/approval/written-request.ts';
import { judge } from './judgement.ts';

function refusal(type: 'acme' | 'venafi', written: WrittenRequest, delegates = true) {
  const object = csr({ request: pkcs10Of(written) });
  const known = { issuer: { ...CA, spec: { [type]: {} } }, policy: { ...PERMISSIVE_POLICY, delegates } };
  const { allowed, status } = judge(review({ object }), known).answer.response;
  return allowed ? undefined : `${status?.code} ${status?.message}`;
}

describe('with delegation, a request', () => {
  it('whose common name is no DNS name is denied for an ACME issuer, with the text of cert-manager', () =>
    assert.match(
      refusal('acme', { subject: ['CN=b.example'], names: ['dns:a.example'] }) ?? '',
      /^422 spec\.request: The CSR PEM requests a commonName .*"b\.example" does not exist in \[a\.example\] or \[\]; request the common name as a DNS name or IP address too, or omit it \(InvalidOrder\)$/,
    ));
  it('without a subject is denied for a Venafi issuer', () =>
    assert.match(
      refusal('venafi', { names: ['dns:a.example'] }) ?? '',
      /^422 spec\.request: .*no subject.*\(ErrorRequest\)$/,
    ));
  it('that the type can issue is admitted', () => {
    assert.equal(refusal('acme', { subject: ['CN=a.example'], names: ['dns:a.example'] }), undefined);
    assert.equal(refusal('venafi', { subject: ['CN=a.example'] }), undefined);
  });
});

describe('without delegation, another signer checks it, so a request', () => {
  it('that breaks the rule of its type is admitted', () => {
    assert.equal(refusal('acme', { subject: ['CN=b.example'] }, false), undefined);
    assert.equal(refusal('venafi', { names: ['dns:a.example'] }, false), undefined);
  });
});
