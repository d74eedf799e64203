// Which issuers of a type are delegated, and which are not.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { IssuerSpec } from '@countersign/common/issuers/issuer-types.ts';
import { isNativeVault } from '@countersign/common/issuers/vault-spec.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { delegateUnless } from '@countersign/signer/issuers/cert-manager/delegate-unless.ts';
import { createDelegatedIssuer } from '@countersign/signer/issuers/cert-manager/delegated-issuer.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { buildIssuer } from '../../../support/ca-builder.ts';
import { RecordingClient } from '../../../support/recording-client.ts';

const ref = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
const AWS: IssuerSpec = { vault: { auth: { aws: {} } } };
const TOKEN: IssuerSpec = { vault: { auth: { tokenSecretRef: { name: 'token' } } } };

const delegated = createDelegatedIssuer('vault', {
  client: new RecordingClient(),
  watch: { has: () => false, isServed: async () => true, noteServed: () => undefined },
  username: async () => 'signer',
  clusterResourceNamespace: 'countersign',
  approves: false,
  now: () => new Date(0),
});
const handler = delegateUnless(
  ({ spec }) => isNativeVault(spec.vault ?? {}),
  { ...createSelfSignedIssuer(), type: 'vault' },
  delegated,
);

function decide(spec: IssuerSpec) {
  const error = { reason: 'ErrorSigning', field: 'spec.request', message: 'bad' } as const;
  const requested = { ok: false, error: [error] } as const;
  return handler.decide({ requested, ref, issuer: buildIssuer(spec), policy: AS_CERT_MANAGER }, undefined, new Date(0));
}

it('an issuer that Countersign can sign for is not delegated', async () => {
  assert.deepEqual(decide(TOKEN), {
    kind: 'fail',
    reason: 'MissingAnnotation',
    message: 'Missing private key reference annotation: "experimental.cert-manager.io/private-key-secret-name"',
  });
  const readiness = await handler.readiness({ ref, issuer: buildIssuer(TOKEN), material: undefined });
  assert.notEqual(readiness, 'kept-elsewhere');
});

it('another issuer is delegated, and its Ready condition is left to cert-manager', async () => {
  assert.deepEqual(decide(AWS), { kind: 'fail', reason: 'ErrorSigning', message: 'bad' });
  assert.equal(await handler.readiness({ ref, issuer: buildIssuer(AWS), material: undefined }), 'kept-elsewhere');
});
