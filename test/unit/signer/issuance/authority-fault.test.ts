// Whether a CA can sign a request that has its own validity rules.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeSubject } from '@countersign/common/x509/general-names.ts';
import { findAuthorityFault } from '@countersign/signer/issuance/authority-fault.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const RULES = { backdateMs: 60_000, clampToCa: true, minCaLifeMs: 4_200_000 };
const POD = { validityRules: RULES, hasEmptySubject: true };
const SUBJECT = encodeSubject('ca');

const caThatLasts = (minutes: number) => ({ subject: SUBJECT, notAfter: new Date(NOW.getTime() + minutes * 60_000) });

describe('findAuthorityFault', () => {
  for (const minutes of [-1, 0, 59, 60, 69.9]) {
    it(`a CA that is valid for ${minutes} more minutes ends too soon`, () => {
      assert.equal(findAuthorityFault(POD, caThatLasts(minutes), NOW)?.reason, 'CaEndsTooSoon');
    });
  }

  it('the problem names the expiry of the CA', () => {
    const problem = 'The CA certificate expires at 2026-11-24T13:00:00.000Z, in less than 70 minutes';
    assert.equal(findAuthorityFault(POD, caThatLasts(60), NOW)?.problem, problem);
  });

  it('a CA that is valid for 70 more minutes, or whose expiry is unknown, has no fault', () => {
    assert.equal(findAuthorityFault(POD, caThatLasts(70), NOW), undefined);
    assert.equal(findAuthorityFault(POD, { subject: SUBJECT }, NOW), undefined);
  });

  it('a CA without a subject cannot sign a certificate without one', () => {
    const ca = { ...caThatLasts(1_000), subject: encodeSubject(undefined) };
    assert.equal(findAuthorityFault(POD, ca, NOW)?.reason, 'SecretInvalidData');
    assert.equal(findAuthorityFault({ ...POD, hasEmptySubject: false }, ca, NOW), undefined);
  });

  it('a request without its own validity rules can be signed by every CA', () => {
    const ca = { ...caThatLasts(-1), subject: encodeSubject(undefined) };
    assert.equal(findAuthorityFault({ hasEmptySubject: true }, ca, NOW), undefined);
  });
});
