import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import type { IssuerTypeHandler } from '@countersign/signer/issuers/issuer-type.ts';
import { withAwsAuth } from '@countersign/signer/issuers/vault/aws-auth.ts';
import { buildIssuer } from '../../../support/ca-builder.ts';

const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'vault' } as const;

/** Waits with the message, and is not Ready with it. */
function saying(message: string): IssuerTypeHandler<undefined> {
  return {
    type: 'vault',
    load: async () => undefined,
    reject: () => undefined,
    topOf: () => undefined,
    decide: () => ({ kind: 'wait', reason: 'ErrorVaultInit', message }),
    readiness: () => ({ condition: { status: 'False', reason: 'VaultError', message }, events: [] }),
  };
}

for (const [auth, expected] of [
  [{ aws: {} }, 'cert-manager'],
  [{ tokenSecretRef: { name: 'token' } }, 'native'],
  [{ aws: {}, tokenSecretRef: { name: 'token' } }, 'native'],
  [{}, 'native'],
] as const) {
  test(`a Vault issuer with the auth methods [${Object.keys(auth)}] is signed for by ${expected}`, async () => {
    const handler = withAwsAuth(saying('native'), saying('cert-manager'));
    const issuer = buildIssuer({ vault: { server: 'https://vault.example.com', path: 'pki/sign/web', auth } });
    const request = { requested: { ok: false, error: [] }, ref: REF, issuer, policy: AS_CERT_MANAGER } as const;
    const decision = handler.decide(request, undefined, new Date(0));
    const readiness = await handler.readiness({ ref: REF, issuer, material: undefined });
    assert.equal(decision.kind === 'wait' && decision.message, expected);
    assert.equal(readiness !== 'kept-elsewhere' && readiness.condition.message, expected);
  });
}
