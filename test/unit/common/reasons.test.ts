// cert-manager's messages, byte for byte, and the documentation that is generated from the reasons.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '@countersign/common/duration.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { renderReasons } from '../../../tools/docs/generate-reasons.ts';

const issuer = { kind: 'Issuer', namespace: 'sandbox', name: 'my-issuer' } as const;
const clusterIssuer = { kind: 'ClusterIssuer', namespace: '', name: 'my-issuer' } as const;

const TEXTS: readonly (readonly [message: string, expected: string])[] = [
  [reasons.WaitingApproval.message(), 'Waiting for the Approved condition before issuing'],
  [reasons.IssuerNotFound.message(issuer), 'Referenced Issuer sandbox/my-issuer not found'],
  [reasons.IssuerNotFound.message(clusterIssuer), 'Referenced ClusterIssuer /my-issuer not found'],
  [reasons.IssuerTypeMissing.message(issuer), 'Referenced Issuer sandbox/my-issuer is missing type'],
  [
    reasons.IssuerNotReady.message(clusterIssuer),
    'Referenced ClusterIssuer /my-issuer does not have a Ready status condition',
  ],
  [reasons.DeniedReference.message(issuer), 'Requester may not reference Namespaced Issuer sandbox/my-issuer'],
  [
    reasons.ErrorParseDuration.message('time: invalid duration "foo"'),
    'Failed to parse requested duration: failed to parse requested duration on annotation "experimental.cert-manager.io/request-duration": time: invalid duration "foo"',
  ],
  [
    reasons.InvalidDuration.message(10n * MINUTE, 599n * SECOND),
    'CertificateSigningRequest minimum allowed duration is 10m0s, requested 9m59s',
  ],
  [reasons.SecretMissing.message('sandbox/ca'), 'Referenced secret sandbox/ca not found'],
  [
    reasons.SecretInvalidData.message('sandbox/ca', 'x'),
    'Failed to parse signing CA keypair from secret sandbox/ca: x',
  ],
  [reasons.SecretGetError.message('sandbox/ca', 'x'), 'Failed to get certificate key pair from secret sandbox/ca: x'],
  [reasons.SigningError.template('x'), 'Error generating certificate template: x'],
  [reasons.SigningError.message('x'), 'Error signing certificate: x'],
  [reasons.SigningError.update('x'), 'Error updating certificate: x'],
  [reasons.CertificateIssued.message(), 'Certificate fetched from issuer successfully'],
  [reasons.CertificateIssued.selfSigned(), 'Certificate self-signed successfully'],
  [reasons.CertificateIssued.venafi(), 'Certificate fetched from Certificate Manager issuer successfully'],
  [
    reasons.MissingAnnotation.message(),
    'Missing private key reference annotation: "experimental.cert-manager.io/private-key-secret-name"',
  ],
  [reasons.SecretNotFound.message('sandbox/key'), 'Referenced Secret sandbox/key not found'],
  [reasons.ErrorParsingKey.message('sandbox/key', 'x'), 'Failed to parse signing key from secret sandbox/key: x'],
  [
    reasons.ErrorGettingSecret.message('sandbox/key', 'x'),
    'Failed to get certificate CA key from secret sandbox/key: x',
  ],
  [reasons.ErrorGenerating.message('x'), 'Error generating certificate template: x'],
  [reasons.ErrorKeyMatch.message(), 'Referenced private key in Secret does not match that in the request'],
  [reasons.ErrorSigning.message('x'), 'Error signing certificate: x'],
  [reasons.ErrorUpdate.message('x'), 'Error updating certificate: x'],
  [reasons.KeyPairVerified.message(), 'Signing CA verified'],
  [reasons.ErrGetKeyPair.message('x'), 'Error getting keypair for CA issuer: x'],
  [reasons.ErrInvalidKeyPair.message(), 'Error getting keypair for CA issuer: certificate is not a CA'],
  [reasons.ErrInitIssuer.message('x'), 'Error initializing issuer: x'],
  [reasons.IsReady.message(), ''],
];

describe('reasons', () => {
  for (const [message, expected] of TEXTS) {
    it(`the message "${expected}" is cert-manager's`, () => assert.equal(message, expected));
  }

  for (const [reason, { doc }] of Object.entries(reasons)) {
    it(`${reason} is CamelCase and has a documented meaning and action`, () => {
      assert.match(reason, /^([A-Z][a-z]+)+([A-Z]+)?([A-Z][a-z]+)*$/);
      assert.match(doc.meaning, /^[A-Z].*\.$/);
      assert.match(doc.action, /^[A-Z`].*\.$/);
    });
  }

  it('docs/reasons.md is up to date (run npm run docs)', () => {
    const written = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8');
    assert.equal(written, renderReasons());
  });
});
