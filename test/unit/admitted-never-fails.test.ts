// What the webhook admits, the signer issues once it is approved, and what the webhook refuses for its shape is never
// issued: for the vectors and for generated requests, whatever their keys, extensions, usages and annotations, and for
// each type of issuer.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  PRIVATE_KEY_SECRET_NAME,
  REQUEST_DURATION,
  REQUEST_IS_CA,
  readPrivateKeySecretName,
} from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { HOUR } from '@countersign/common/duration.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { isObjectName } from '@countersign/common/object-name.ts';
import { PERMISSIVE_POLICY, type RequestPolicy } from '@countersign/common/request-policy.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { type Decision, decide } from '@countersign/signer/decide.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import type { IssuerTypeHandler } from '@countersign/signer/issuers/issuer-type.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { createVaultIssuer } from '@countersign/signer/issuers/vault/vault.ts';
import { VaultMetrics } from '@countersign/signer/issuers/vault/vault-metrics.ts';
import { triage } from '@countersign/signer/requests/csr/triage.ts';
import { admit, findScope } from '@countersign/webhook/admit.ts';
import * as fc from 'fast-check';
import { buildIssuer, buildSecret, rootTexts, type SecretTexts } from '../support/ca-builder.ts';
import { buildCsr, buildRequest } from '../support/csr-builder.ts';
import { readPki } from '../support/pki.ts';
import { RecordingClient } from '../support/recording-client.ts';
import { readValidationCases } from '../support/vectors.ts';

const NOW = new Date('2026-11-24T12:00:00Z');

interface IssuerCase {
  readonly handler: IssuerTypeHandler;
  readonly issuer: Issuer;
  /** What the Secret holds, for a request with this key. */
  readonly secretFor: (keyPem: string) => SecretTexts;
}

/** What the role of the server refuses is known only there. */
const VAULT_SPEC = {
  server: 'https://vault.example.com',
  path: 'pki/sign/web',
  auth: { tokenSecretRef: { name: 'x' } },
};
const NO_SERVER = {
  client: new RecordingClient(() => undefined),
  secrets: { read: async () => undefined },
  clusterResourceNamespace: 'countersign',
  metrics: new VaultMetrics(createRegistry()),
  allowedServers: [],
};

const ISSUERS: Readonly<Record<string, IssuerCase>> = {
  CA: { handler: createCaIssuer(), issuer: buildIssuer(), secretFor: rootTexts },
  SelfSigned: {
    handler: createSelfSignedIssuer(),
    issuer: buildIssuer({ selfSigned: {} }),
    secretFor: keyPem => ({ 'tls.key': keyPem }),
  },
  Vault: { handler: createVaultIssuer(NO_SERVER), issuer: buildIssuer({ vault: VAULT_SPEC }), secretFor: () => ({}) },
};

function isAdmitted(csr: CertificateSigningRequest, issuer: Issuer, policy: RequestPolicy): boolean {
  const request = { uid: 'uid', userInfo: {}, operation: 'CREATE', object: csr } as const;
  const observation = { permission: 'granted', issuer, constrained: [] } as const;
  return admit(findScope(request, policy), observation, { username: 'jane', policy }).allowed;
}

/** What becomes of it once it is approved, by an issuer that is ready and has what it signs with. */
async function outcomeOf(
  csr: CertificateSigningRequest,
  { handler, issuer, secretFor }: IssuerCase,
  { keyPem, policy: demands }: { readonly keyPem: string; readonly policy: RequestPolicy },
): Promise<Decision> {
  const approved = { ...csr, status: { conditions: [{ type: 'Approved', status: 'True' }] } };
  const triaged = triage(approved, demands);
  if (triaged.kind !== 'proceed') return triaged;
  const secret = buildSecret(secretFor(keyPem));
  const keySecretName = readPrivateKeySecretName(csr);
  const named = signingSecret(issuer.spec, keySecretName);
  const ref = { namespace: 'sandbox', name: named?.name ?? '' };
  const material = named && (await handler.load({ ref, secret: isObjectName(ref.name) ? secret : undefined }));
  const policy = { ...AS_CERT_MANAGER, ...demands };
  const requested = toRequestedCertificate(approved, policy, { type: handler.type });
  const seen = {
    ref: triaged.ref,
    issuer,
    policy,
    handler,
    keySecretName,
    needsPermission: true,
    whenNotServed: 'ignore' as const,
  };
  return decide({ ...seen, mayReference: true, requested, material }, NOW);
}

async function checkAgreement(
  csr: CertificateSigningRequest,
  kind: IssuerCase,
  keyPem: string,
  policy: RequestPolicy = PERMISSIVE_POLICY,
): Promise<void> {
  const outcome = await outcomeOf(csr, kind, { keyPem, policy });
  const said = 'reason' in outcome ? `${outcome.kind} ${outcome.reason}: ${outcome.message}` : outcome.kind;
  assert.equal(said === 'issue', isAdmitted(csr, kind.issuer, policy), said);
}

const NAMED = ['p224', 'p256', 'p384', 'p521', 'ed25519', 'rsa1024', 'rsa2048', 'rsa3072'];
/** Go knows the size of an RSA key in octets: 2041 bits are as good as 2048, 2040 are not. */
const RSA_SIZES = [2040, 2041, 2047];
const KEYS = [
  ...NAMED.map(name => [name, readPki(`keys/${name}`)] as const),
  ...RSA_SIZES.map(modulusLength => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
    return [`RSA with ${modulusLength} bits`, privateKey.export({ format: 'pem', type: 'pkcs8' })] as const;
  }),
];

const octets = fc.uint8Array({ maxLength: 12 }).map(bytes => Buffer.from(bytes));
const WELL_FORMED = ['3000', '30030101ff', '03020780', '03020284', '300a06082b06010505070302', '30068204612e6262'];
const extension = fc.record({
  oid: fc.constantFrom(...Object.values(EXTENSION), '1.2.3.4'),
  value: fc.oneof(
    octets,
    fc.constantFrom(...WELL_FORMED).map(hex => Buffer.from(hex, 'hex')),
  ),
});
const usage = fc.constantFrom('digital signature', 'key encipherment', 'cert sign', 'client auth', 'any', 'nonsense');
const asked = fc.record({
  key: fc.constantFrom(...KEYS.map(([, pem]) => pem)),
  extensions: fc.uniqueArray(extension, { selector: ({ oid }) => oid, maxLength: 3 }),
  usages: fc.uniqueArray(usage, { minLength: 1, maxLength: 3 }),
  annotations: fc.record(
    {
      [REQUEST_DURATION]: fc.constantFrom('1h', '10m', '9m59s', '', '90d', '2562047h47m16s'),
      [REQUEST_IS_CA]: fc.constantFrom('true', 'false', 'True'),
      [PRIVATE_KEY_SECRET_NAME]: fc.constantFrom('key', 'my.key', 'Key', 'key_1', '../key', '', 'k'.repeat(254)),
    },
    { requiredKeys: [] },
  ),
  expirationSeconds: fc.constantFrom(600, 2 ** 31 - 1),
});

const policies = fc.record({
  maxDuration: fc.constantFrom(undefined, HOUR, 100_000n * HOUR),
  authorizeClusterIssuers: fc.boolean(),
  honourNameConstraints: fc.boolean(),
  delegates: fc.boolean(),
  externalIssuers: fc.constant([]),
});

describe('a request is admitted just when it can be issued', () => {
  for (const [type, kind] of Object.entries(ISSUERS)) {
    for (const [name, key] of KEYS) {
      it(`by an issuer of type ${type}, with a key of the kind ${name}`, () =>
        checkAgreement(
          buildCsr({ request: buildRequest([], key), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'key' } }),
          kind,
          key,
        ));
    }

    it(`by an issuer of type ${type}, whatever it asks for`, () =>
      fc.assert(
        fc.asyncProperty(asked, policies, ({ key, extensions, ...rest }, policy) =>
          checkAgreement(buildCsr({ request: buildRequest(extensions, key), ...rest }), kind, key, policy),
        ),
        { numRuns: 300 },
      ));
  }

  for (const { name, csr } of readValidationCases()) {
    if (!parseSignerName(csr.spec.signerName).ok) continue;
    it(`by an issuer of type CA: ${name}`, () => checkAgreement(csr, ISSUERS['CA'] as IssuerCase, ''));
  }
});
