// The decision on one CSR: every row of cert-manager's Sync (test/vectors/decide.yaml), and properties that hold for
// every CSR of the webhook's vectors and for requests that no tool would create.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { HOUR } from '@countersign/common/duration.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { needsPermission } from '@countersign/common/reference-permission.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { type Decision, decide, type Observation } from '@countersign/signer/decide.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { findHandler } from '@countersign/signer/issuers/issuer-type.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { triage } from '@countersign/signer/requests/csr/triage.ts';
import * as fc from 'fast-check';
import { buildIssuer, buildSecret, CA_SPEC, rootTexts } from '../../support/ca-builder.ts';
import { buildCsr, buildRequest, type CsrOrder } from '../../support/csr-builder.ts';
import { decideOn as decideOnCase, selfSignedKind } from '../../support/issuer-case.ts';
import { readPki, valueOf } from '../../support/pki.ts';
import { requestErrors } from '../../support/request-errors.ts';
import { readRequest, readValidationCases, readVectors } from '../../support/vectors.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const HANDLERS = [createCaIssuer(), createSelfSignedIssuer()];
const SECRET = buildSecret(rootTexts());

interface DecideCase {
  readonly name: string;
  readonly csr?: CsrOrder & { readonly requestFile?: string };
  readonly issuer?: 'none' | { readonly spec?: Issuer['spec']; readonly ready?: string };
  readonly mayReference?: boolean;
  readonly kind: Decision['kind'];
  readonly reason?: string;
  readonly message?: string;
}

interface Known {
  readonly mayReference?: boolean | undefined;
  /** Defaults to cert-manager's policy. */
  readonly policy?: IssuancePolicy;
}

/** Observes everything, including what later checks need, so that only the order of checks matters. */
async function observed(csr: CertificateSigningRequest, issuer: Issuer | undefined, known: Known) {
  const { mayReference = true, policy = AS_CERT_MANAGER } = known;
  const ref = valueOf(parseSignerName(csr.spec.signerName));
  const handler = findHandler(HANDLERS, issuer);
  const keySecretName = readPrivateKeySecretName(csr);
  const secret = issuer && signingSecret(issuer.spec, keySecretName);
  const material =
    secret && (await handler?.load({ ref: { namespace: 'sandbox', name: secret.name }, secret: SECRET }));
  const requested = toRequestedCertificate(csr, policy, { type: handler?.type });
  const needed = needsPermission(ref, policy);
  return {
    ...{ ref, issuer, policy, handler, keySecretName, needsPermission: needed, mayReference, requested, material },
    whenNotServed: 'ignore' as const,
  } satisfies Observation;
}

async function decideOn(csr: CertificateSigningRequest, issuer: Issuer | undefined, known: Known = {}) {
  const triaged = triage(csr, AS_CERT_MANAGER);
  return triaged.kind === 'proceed' ? decide(await observed(csr, issuer, known), NOW) : triaged;
}

function summarize(decision: Decision) {
  const { kind } = decision;
  return 'reason' in decision ? { kind, reason: decision.reason, message: decision.message } : { kind };
}

function readIssuer(issuer: DecideCase['issuer']): Issuer | undefined {
  if (issuer === 'none') return undefined;
  return buildIssuer(issuer?.spec ?? CA_SPEC, issuer?.ready === 'none' ? '' : (issuer?.ready ?? 'True'));
}

describe('decide', () => {
  for (const { name, csr = {}, issuer, mayReference, ...expected } of readVectors<DecideCase[]>('decide.yaml')) {
    it(name, async () => {
      const request = csr.requestFile === undefined ? {} : { request: readRequest(csr.requestFile) };
      const decision = await decideOn(buildCsr({ ...csr, ...request }), readIssuer(issuer), { mayReference });
      assert.deepEqual(summarize(decision), expected);
    });
  }

  it('decide returns the same decision and TBS bytes for the same observation and time', async () => {
    const [a, b] = [await decideOn(buildCsr(), buildIssuer()), await decideOn(buildCsr(), buildIssuer())];
    assert.ok(a.kind === 'issue' && a.issuance.kind === 'local' && b.kind === 'issue' && b.issuance.kind === 'local');
    assert.deepEqual(a.issuance.certificate.tbs, b.issuance.certificate.tbs);
  });
});

describe('consistency with the webhook', () => {
  const approved = (csr: CertificateSigningRequest) => ({
    ...csr,
    metadata: { ...csr.metadata, uid: 'uid' },
    status: { conditions: [{ type: 'Approved', status: 'True' }] },
  });
  const ours = readValidationCases().filter(({ csr }) => parseSignerName(csr.spec.signerName).ok);

  for (const { name, csr, errors } of ours) {
    it(`the CA decision matches the webhook's answer: ${name}`, async () => {
      const [first] = errors;
      const expected = first ? { kind: 'fail', reason: first.reason, message: first.message } : { kind: 'issue' };
      assert.deepEqual(summarize(await decideOn(approved(csr), buildIssuer())), expected);
    });
  }

  // Some vectors request less than the maximum, some more, and most no duration.
  for (const { name, csr } of ours) {
    it(`the decision with a maximum duration matches the webhook's answer: ${name}`, async () => {
      const policy = { ...AS_CERT_MANAGER, maxDuration: 2n * HOUR };
      const [first] = requestErrors(csr, policy);
      const expected = first ? { kind: 'fail', reason: first.reason, message: first.message } : { kind: 'issue' };
      assert.deepEqual(summarize(await decideOn(approved(csr), buildIssuer(), { policy })), expected);
    });
  }

  // The requests' private keys are not available, so a valid one fails with ErrorKeyMatch.
  for (const { name, csr, errors } of ours) {
    it(`the SelfSigned decision matches the webhook's answer: ${name}`, async () => {
      const annotations = { ...csr.metadata.annotations, [PRIVATE_KEY_SECRET_NAME]: 'key' };
      const asked = approved({ ...csr, metadata: { ...csr.metadata, annotations } });
      const decision = summarize(await decideOn(asked, buildIssuer({ selfSigned: {} })));
      const [first] = errors;
      const reasons = { SigningError: 'ErrorGenerating' } as Record<string, string>;
      if (first === undefined) assert.equal(decision.reason, 'ErrorKeyMatch');
      else
        assert.deepEqual(decision, {
          kind: 'fail',
          reason: reasons[first.reason] ?? first.reason,
          message: first.message,
        });
    });
  }

  it('the decision matches the webhook for extensions that no tool would write', async () => {
    const oid = fc.constantFrom(...Object.values(EXTENSION), '1.2.3.4');
    const octets = fc.uint8Array({ maxLength: 12 }).map(bytes => Buffer.from(bytes));
    const wellFormed = fc.constantFrom(
      '3000',
      '30030101ff',
      '03020780',
      '300a06082b06010505070302',
      '30068204612e6262',
    );
    const value = fc.oneof(
      octets,
      wellFormed.map(hex => Buffer.from(hex, 'hex')),
    );
    const issuer = buildIssuer();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ oid, value }), { selector: e => e.oid, maxLength: 4 }),
        async list => {
          const csr = buildCsr({ request: buildRequest(list) });
          const [error] = requestErrors(csr, AS_CERT_MANAGER);
          assert.equal((await decideOn(csr, issuer)).kind, error === undefined ? 'issue' : 'fail');
        },
      ),
      { numRuns: 200 },
    );
  });

  it('a SelfSigned request with its own key is issued', async () => {
    const csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'key' } });
    assert.equal(await decideOnCase(selfSignedKind(), { 'tls.key': readPki('keys/p256') }, csr), 'issue');
  });
});
