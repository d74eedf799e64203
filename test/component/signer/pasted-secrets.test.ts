// A secret that was pasted where a name, a duration or a URL belongs is never repeated: not in a log line, an event, a condition or
// the Ready condition of an Issuer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import { SignerWorld } from './signer-world.ts';

const KEY = readPki('keys/p256');
/** A part that survives line breaks, escapes and a cut at the end. */
const SENTINEL = KEY.split('\n')[1]!.slice(0, 20);
const URL_WITH_PASSWORD = `https://user:${SENTINEL}@exämple/`;
const caWith = (spec: object) => buildIssuer({ ca: { secretName: 'my-ca', ...spec } });

const PLACES: Readonly<Record<string, (world: SignerWorld) => void>> = {
  'the name of the Secret of a SelfSigned request': world => {
    world.issuer = buildIssuer({ selfSigned: {} });
    world.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: KEY } });
  },
  'the name of the Secret of a CA': world => {
    world.issuer = caWith({ secretName: KEY });
  },
  'the duration': world => {
    world.csr = buildCsr({ annotations: { [REQUEST_DURATION]: KEY } });
  },
  'the mark of a CA': world => {
    world.csr = buildCsr({ annotations: { [REQUEST_IS_CA]: KEY } });
  },
  ...Object.fromEntries(
    ['crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'].map(field => [
      `an entry of ${field}`,
      (world: SignerWorld) => {
        world.issuer = caWith({ [field]: [URL_WITH_PASSWORD] });
      },
    ]),
  ),
};

describe('a secret is never repeated that was pasted as', () => {
  for (const [where, enter] of Object.entries(PLACES)) {
    it(where, async () => {
      const world = new SignerWorld();
      enter(world);
      await world.run();
      const said = JSON.stringify([world.logged, world.client.events, world.outcomes, world.rechecked]);
      // A certificate may hold what was asked for; its text is base64.
      const written = JSON.stringify(world.client.writes);
      assert.ok(!said.includes(SENTINEL), said);
      assert.ok(!written.includes(SENTINEL), written);
    });
  }

  it('the name of the Secret of a CA, in its Ready condition', async () => {
    const issuer = createCaIssuer();
    const secret = { ref: { namespace: 'sandbox', name: KEY }, secret: undefined };
    const readiness = issuer.readiness(await issuer.load(secret));
    assert.ok(!JSON.stringify([readiness.condition, readiness.events]).includes(SENTINEL));
    assert.match(readiness.condition.message ?? '', /<invalid name: \d+ characters>/);
  });
});
