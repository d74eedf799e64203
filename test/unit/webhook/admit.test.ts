// Which requests are admitted, and the texts of the denials, case by case.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { csr, review } from '../../support/admission-reviews.ts';
import { readValidationCases } from '../../support/vectors.ts';
import { CONSTRAINT_CASES } from './constraint-cases.ts';
import { CREATE_CASES } from './create-cases.ts';
import { assertAdmission, judge } from './judgement.ts';
import { POLICY_CASES } from './policy-cases.ts';
import { UPDATE_CASES } from './update-cases.ts';

describe('CREATE', () => {
  for (const item of CREATE_CASES) test(item.name, () => assertAdmission(item));
});

describe('operator policies', () => {
  for (const item of POLICY_CASES) test(item.name, () => assertAdmission(item));
});

describe('name constraints of the CA', () => {
  for (const item of CONSTRAINT_CASES) test(item.name, () => assertAdmission(item));
});

describe('UPDATE', () => {
  for (const item of UPDATE_CASES) test(item.name, () => assertAdmission(item));
});

test('a CSR whose name is too long for the signer is denied', () => {
  const { status } = judge(review({ object: csr({ name: 'x'.repeat(254) }) })).answer.response;
  const message = 'metadata.name: The name is 254 characters long; the maximum is 253 (NameTooLong)';
  assert.deepEqual([status?.code, status?.reason, status?.message], [422, 'NameTooLong', message]);
});

describe('the shared vectors', () => {
  for (const { name, csr: object, errors } of readValidationCases()) {
    test(name, () => {
      // The issuer is unknown: SelfSigned issuers have their own reasons.
      const { allowed, status } = judge(review({ object }), { issuer: 'unknown' }).answer.response;
      assert.equal(allowed, errors.length === 0);
      assert.equal(status?.reason, errors[0]?.reason);
      assert.deepEqual(
        (status?.details?.causes ?? []).map(({ reason, field }) => ({ reason, field })),
        errors.map(({ reason, field }) => ({ reason, field })),
      );
      for (const { field, message } of errors) assert.ok(status?.message.includes(`${field}: ${message}`), message);
    });
  }
});
