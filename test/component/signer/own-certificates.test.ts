// Which stored certificates are taken as ours: never by the serial number alone, which another signer can write. Only
// ours get the `ca` annotation later, and are reported by the next leader after a crash.

import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { CA, encodeCaAnnotation, PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import type { IssuerSpec } from '@countersign/common/issuers/issuer-types.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { encodeInteger } from '@countersign/common/x509/der.ts';
import { deriveSerial } from '@countersign/signer/issuance/serial.ts';
import { createDelegatedIssuer } from '@countersign/signer/issuers/cert-manager/delegated-issuer.ts';
import { createVaultIssuer } from '@countersign/signer/issuers/vault/vault.ts';
import { VaultMetrics } from '@countersign/signer/issuers/vault/vault-metrics.ts';
import { buildIssuer, buildSecret, CA_SPEC } from '../../support/ca-builder.ts';
import { buildCertificate, createHolder, type Holder, holderOfKey } from '../../support/certificate-builder.ts';
import { buildCsr, buildRequest, type CsrOrder } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import { NOW, SECRET, SECRET_PATH } from './reconcile-harness.ts';
import { CSR_PATH, ISSUED, SignerHarness } from './signer-harness.ts';

const REQUESTED = createPublicKey(readPki('keys/p256'));
const SELF_SIGNED: IssuerSpec = { selfSigned: {} };
const stranger = createHolder('root');
const root = holderOfKey('root', readPki('keys/p256-root'));
const rootPem = buildCertificate(root);

/** The leaf that `issuer` signs for the key with the serial of the request, in PEM. */
function signFor(publicKey: KeyObject, issuer: Holder): string {
  const leaf = { name: 'leaf', publicKey, privateKey: issuer.privateKey };
  return buildCertificate(leaf, issuer, { serial: encodeInteger(deriveSerial('uid-of-jane')) });
}

function stored(chainPem: string, annotations: CsrOrder['annotations'] = {}): CsrOrder {
  const certificate = Buffer.from(chainPem).toString('base64');
  return { request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-ca', ...annotations }, certificate };
}

interface Case {
  readonly spec: IssuerSpec;
  readonly chainPem: string;
}

/** Certificates with the serial of the request that others made. */
const FORGED: Readonly<Record<string, Case>> = {
  'by another CA with the name of the CA': { spec: CA_SPEC, chainPem: signFor(REQUESTED, stranger) },
  'by the CA for another key': { spec: CA_SPEC, chainPem: signFor(stranger.publicKey, root) },
  'by a CA, for a SelfSigned issuer': { spec: SELF_SIGNED, chainPem: signFor(REQUESTED, root) },
  'by another key, for a SelfSigned issuer': { spec: SELF_SIGNED, chainPem: signFor(stranger.publicKey, stranger) },
};

const selfSignedPem = signFor(REQUESTED, holderOfKey('leaf', readPki('keys/p256')));

const OWN: Readonly<Record<string, Case & { readonly topPem: string; readonly issued: string }>> = {
  'of a CA issuer': { spec: CA_SPEC, chainPem: signFor(REQUESTED, root), topPem: rootPem, issued: ISSUED },
  'of a SelfSigned issuer': {
    spec: SELF_SIGNED,
    chainPem: selfSignedPem,
    topPem: selfSignedPem,
    issued: 'Normal CertificateIssued: Certificate self-signed successfully',
  },
};

function harnessOf({ spec }: Case, order: CsrOrder): SignerHarness {
  const harness = new SignerHarness();
  harness.issuer = buildIssuer(spec);
  harness.secret = buildSecret({ 'tls.key': readPki('keys/p256-root'), 'tls.crt': rootPem });
  harness.csr = buildCsr(order);
  return harness;
}

describe('a certificate without its annotation', () => {
  for (const [what, forged] of Object.entries(FORGED)) {
    it(`a certificate with our serial signed ${what} gets no annotation`, async () => {
      const harness = harnessOf(forged, stored(forged.chainPem));
      await harness.run();
      assert.deepEqual(harness.client.writes, []);
    });
  }

  for (const [what, own] of Object.entries(OWN)) {
    it(`our certificate ${what} gets its annotation`, async () => {
      const harness = harnessOf(own, stored(own.chainPem));
      harness.fault = ({ verb }) => (verb === 'mergePatch' ? buildCsr({ annotations: { [CA]: 'x' } }) : undefined);
      await harness.run();
      const annotations = { [CA]: encodeCaAnnotation(own.topPem) };
      assert.deepEqual(
        harness.client.writes.map(({ body }) => body),
        [{ metadata: { annotations, uid: 'uid-of-jane' } }],
      );
    });
  }
});

/** Runs a new leader after the one that may have written the certificate was killed. */
async function takeOver(harness: SignerHarness): Promise<readonly string[]> {
  const due = new Set(['jane']);
  await harness.run(0, { ...harness.deps, unreported: due });
  assert.equal(due.size, 0);
  return harness.client.events;
}

const annotated = { [CA]: 'x' };

describe('a certificate that a killed leader may have written', () => {
  for (const [what, forged] of Object.entries(FORGED)) {
    it(`a certificate with our serial signed ${what} is not reported by the next leader`, async () => {
      const harness = harnessOf(forged, stored(forged.chainPem, annotated));
      assert.deepEqual(await takeOver(harness), []);
      assert.deepEqual(
        harness.logged.filter(({ audit }) => audit === true),
        [],
      );
    });
  }

  for (const [what, own] of Object.entries(OWN)) {
    it(`our certificate ${what} is reported by the next leader, without an access review`, async () => {
      const harness = harnessOf(own, stored(own.chainPem, annotated));
      assert.deepEqual(await takeOver(harness), [own.issued]);
      assert.deepEqual(harness.asked, [`get ${CSR_PATH}`, SECRET]);
      const line = harness.logged.find(({ audit }) => audit === true);
      assert.deepEqual([line?.['msg'], line?.['recovered']], ['certificate issued', true]);
    });
  }

  it('a certificate is reported later if the Secret of its issuer cannot be read', async () => {
    const own = OWN['of a CA issuer']!;
    const harness = harnessOf(own, stored(own.chainPem, annotated));
    const due = new Set(['jane']);
    harness.fault = ({ path }) => {
      if (path === SECRET_PATH) throw new RetryableError('no answer', { code: 'timeout' });
    };
    await assert.rejects(harness.run(0, { ...harness.deps, unreported: due }));
    assert.deepEqual([[...due], harness.client.events], [['jane'], []]);
    harness.fault = () => undefined;
    assert.deepEqual(await takeOver(harness), [ISSUED]);
  });
});

describe('a certificate of a remote issuer that a killed leader may have written', () => {
  const upper = createHolder('Vault root');
  const upperPem = buildCertificate(upper);
  const lower = createHolder('Vault CA');
  const leaf = { name: 'leaf', publicKey: REQUESTED, privateKey: lower.privateKey };
  const chainPem = buildCertificate(leaf, lower) + buildCertificate(lower, upper);
  const vault: IssuerSpec = { vault: { server: 'https://vault.example', path: 'pki/sign/x' } };

  async function reportsOf(order: CsrOrder, spec = vault): Promise<readonly string[]> {
    const harness = harnessOf({ spec, chainPem }, order);
    const metrics = new VaultMetrics(createRegistry());
    const deps = { client: harness.client, secrets: harness.secrets, allowedServers: [], metrics };
    const clusterResourceNamespace = 'countersign';
    const watch = { has: () => false, isServed: async () => true, noteServed: () => undefined };
    const delegation = { client: harness.client, watch, username: async () => 'me', now: () => NOW, approves: false };
    const handlers = [
      createVaultIssuer({ ...deps, clusterResourceNamespace }),
      createDelegatedIssuer('acme', { ...delegation, clusterResourceNamespace }),
    ];
    Object.assign(harness.deps.settings, { handlers });
    return takeOver(harness);
  }

  const recorded = (pem: string) => ({ [CA]: encodeCaAnnotation(pem) });
  const REPORTED = ['Normal CertificateIssued: Certificate signed successfully'];

  it('a certificate of a remote issuer is reported if the recorded CA is the top of its chain', async () => {
    assert.deepEqual(await reportsOf(stored(chainPem, recorded(upperPem))), REPORTED);
    assert.deepEqual(await reportsOf(stored(chainPem + upperPem, recorded(upperPem))), REPORTED);
  });

  it('a certificate that cert-manager issued is reported in the same way', async () => {
    const [reported = ''] = await reportsOf(stored(chainPem, recorded(upperPem)), { acme: {} });
    assert.match(reported, /^Normal CertificateIssued: /);
    assert.deepEqual(await reportsOf(stored(chainPem, recorded(rootPem)), { acme: {} }), []);
  });

  it('a certificate of a remote issuer is not reported if no CA is recorded, or another one', async () => {
    const namesake = buildCertificate(createHolder('Vault root'));
    for (const annotations of [{}, { [CA]: 'x' }, recorded(namesake), recorded(rootPem)]) {
      assert.deepEqual(await reportsOf(stored(chainPem, annotations)), []);
    }
  });

  it('a certificate of a remote issuer for another key is not reported', async () => {
    const other = buildCertificate({ ...leaf, publicKey: stranger.publicKey }, upper);
    assert.deepEqual(await reportsOf(stored(other, recorded(upperPem))), []);
  });
});
