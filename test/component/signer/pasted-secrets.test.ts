// A secret pasted where a name, a duration or a URL belongs is never repeated in a log line, an event, a condition or
// the Ready condition of an Issuer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { readinessOf } from '../../support/issuer-case.ts';
import { readPki } from '../../support/pki.ts';
import { SignerHarness } from './signer-harness.ts';

const KEY = readPki('keys/p256');
/** A part that survives line breaks, escapes and truncation. */
const SENTINEL = KEY.split('\n')[1]!.slice(0, 20);
const URL_WITH_PASSWORD = `https://user:${SENTINEL}@exämple/`;
const caWith = (spec: object) => buildIssuer({ ca: { secretName: 'my-ca', ...spec } });

const PLACES: Readonly<Record<string, (harness: SignerHarness) => void>> = {
  'the name of the Secret of a SelfSigned request': harness => {
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: KEY } });
  },
  'the name of the Secret of a CA': harness => {
    harness.issuer = caWith({ secretName: KEY });
  },
  'the duration': harness => {
    harness.csr = buildCsr({ annotations: { [REQUEST_DURATION]: KEY } });
  },
  'the request-is-ca annotation': harness => {
    harness.csr = buildCsr({ annotations: { [REQUEST_IS_CA]: KEY } });
  },
  ...Object.fromEntries(
    ['crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'].map(field => [
      `an entry of ${field}`,
      (harness: SignerHarness) => {
        harness.issuer = caWith({ [field]: [URL_WITH_PASSWORD] });
      },
    ]),
  ),
};

describe('a pasted secret', () => {
  for (const [where, enter] of Object.entries(PLACES)) {
    it(`a secret pasted as ${where} is never repeated`, async () => {
      const harness = new SignerHarness();
      enter(harness);
      await harness.run();
      const reported = JSON.stringify([harness.logged, harness.client.events, harness.outcomes, harness.rechecked]);
      // A certificate may contain what was requested; its text is base64.
      const written = JSON.stringify(harness.client.writes);
      assert.ok(!reported.includes(SENTINEL), reported);
      assert.ok(!written.includes(SENTINEL), written);
    });
  }

  it('a secret pasted as the name of the Secret of a CA is not repeated in the Ready condition', async () => {
    const issuer = createCaIssuer();
    const secret = { ref: { namespace: 'sandbox', name: KEY }, secret: undefined };
    const readiness = await readinessOf(issuer, await issuer.load(secret));
    assert.ok(!JSON.stringify([readiness.condition, readiness.events]).includes(SENTINEL));
    assert.match(readiness.condition.message ?? '', /<invalid name: \d+ characters>/);
  });
});
