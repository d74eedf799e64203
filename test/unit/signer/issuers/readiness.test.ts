// The Ready condition for each issuer type, and the events for a change to it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { readCertificates, rootTexts } from '../../../support/ca-builder.ts';
import { caKind, key, load, readinessOf, selfSignedKind } from '../../../support/issuer-case.ts';

const CA = caKind();
const SELF_SIGNED = selfSignedKind();
const root = rootTexts();

describe('issuer readiness', () => {
  const pair = (error: string) => `Error getting keypair for CA issuer: ${error}`;
  const noKey = `no private key data for "tls.key" in secret 'sandbox/my-ca'`;
  const verified = { status: 'True', reason: 'KeyPairVerified', message: 'Signing CA verified' };
  const verifiedEvent = ['Normal KeyPairVerified: Signing CA verified'];
  const failed = (error: string) => ({
    condition: { status: 'False', reason: 'ErrGetKeyPair', message: pair(error) },
    events: [`Warning ErrGetKeyPair: ${pair(error)}`, `Warning ErrInitIssuer: Error initializing issuer: ${error}`],
  });
  const notCa = { status: 'False', reason: 'ErrInvalidKeyPair', message: pair('certificate is not a CA') };
  const ROWS = [
    ['a CA issuer with a Secret', CA, root, { condition: verified, events: verifiedEvent }],
    ['a CA issuer without its Secret', CA, undefined, failed('secrets "my-ca" not found')],
    ['a CA issuer with an empty Secret', CA, {}, failed(noKey)],
    [
      'a CA issuer whose certificate is not a CA',
      CA,
      { ...root, 'tls.crt': readCertificates('not-ca') },
      { condition: notCa, events: [`Warning ErrInvalidKeyPair: ${notCa.message}`] },
    ],
    [
      'a CA issuer with a mismatched key, as in cert-manager',
      CA,
      { ...root, 'tls.key': key('p384') },
      { condition: verified, events: verifiedEvent },
    ],
    [
      'a SelfSigned issuer',
      SELF_SIGNED,
      undefined,
      { condition: { status: 'True', reason: 'IsReady', message: '' }, events: [] },
    ],
  ] as const;
  for (const [what, { handler, spec }, texts, expected] of ROWS) {
    it(`${what} gets its Ready condition and events`, async () => {
      const hasSecret = signingSecret(spec, undefined) !== undefined;
      const { condition, events } = await readinessOf(handler, hasSecret ? await load(handler, texts) : undefined);
      const recorded = events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
      assert.deepEqual({ condition, events: recorded }, expected);
    });
  }
});
