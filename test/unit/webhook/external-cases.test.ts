// Requests for external issuers: only listed types are checked at all, with the permission of their own group.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeExternal } from '@countersign/common/issuers/external-issuer.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { csr, review } from '../../support/admission-reviews.ts';
import { judge, type Known } from './judgement.ts';

const THINGS = { group: 'things.example.com', plural: 'thingissuers', kind: 'ThingIssuer', isNamespaced: true };
const LISTED = { ...PERMISSIVE_POLICY, delegates: true, externalIssuers: [THINGS] };
const issuer = describeExternal({ kind: 'ThingIssuer', namespace: 'sandbox', name: 'ca', external: THINGS });

const SIGNER = 'thingissuers.things.example.com/sandbox.ca';

function answer(signerName: string, known: Known, annotations = {}) {
  const object = csr({ signerName, annotations });
  const { asksPermission, answer: given } = judge(review({ object }), { issuer, policy: LISTED, ...known });
  const { allowed, status, warnings } = given.response;
  return { asksPermission, text: allowed ? 'allowed' : `${status?.code} ${status?.message}`, warnings };
}

describe('a request for an external issuer', () => {
  it('of a listed type is admitted without a warning if the requester may reference the issuer', () =>
    assert.deepEqual(answer(SIGNER, {}), { asksPermission: true, text: 'allowed', warnings: undefined }));

  it('is denied without the permission, with the Role in the group of the issuer', () => {
    const { text } = answer(SIGNER, { permission: 'missing' });
    assert.match(text, /^403 Requester may not reference ThingIssuer sandbox\/ca: /);
    assert.match(text, /apiGroups: \["things\.example\.com"\]\n {2}resources: \["signers"\]/);
    assert.match(text, /--role=thingissuers\.things\.example\.com-referencer:ca --user=/);
  });

  it('is denied if its shape is wrong, as for every issuer', () =>
    assert.match(
      answer(SIGNER, {}, { 'experimental.cert-manager.io/request-duration': '90d' }).text,
      /^422 .*\(ErrorParseDuration\)/,
    ));

  it('is denied if no issuer of the type can have the name', () =>
    assert.match(
      answer('thingissuers.things.example.com/ca', {}).text,
      /^422 spec\.signerName: .*missing namespace; use "thingissuers\.things\.example\.com\/<namespace>\.<name>"/,
    ));

  for (const signerName of ['otherissuers.things.example.com/sandbox.ca', 'thingissuers.example.com/sandbox.ca']) {
    it(`for ${signerName}, which is not listed, is left to its signer`, () =>
      assert.deepEqual(answer(signerName, { permission: 'missing' }), {
        asksPermission: false,
        text: 'allowed',
        warnings: undefined,
      }));
  }
});
