// The pure parts of delegation: the CertificateRequest for a CSR, what makes a found one a forgery, and what its status
// means for the CSR.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { answerOfStatus } from '@countersign/signer/issuers/cert-manager/answer-of-status.ts';
import {
  type CertificateRequest,
  nameFor,
  toCertificateRequest,
} from '@countersign/signer/issuers/cert-manager/certificate-request.ts';
import type { DelegatedType } from '@countersign/signer/issuers/cert-manager/delegated-type.ts';
import { findDifference } from '@countersign/signer/issuers/cert-manager/find-difference.ts';
import { hasSent } from '@countersign/signer/issuers/issuer-type.ts';
import { buildCsr } from '../../../support/csr-builder.ts';
import { valueOf } from '../../../support/pki.ts';
import { readRequest, readVectors } from '../../../support/vectors.ts';

const OWN = 'system:serviceaccount:countersign:countersign-signer';
const ISSUER: SignerRef = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' };
const THINGS = { group: 'things.example.com', plural: 'thingissuers', kind: 'ThingIssuer', isNamespaced: true };
const EXTERNAL: SignerRef = { kind: 'ThingIssuer', namespace: 'sandbox', name: 'my-ca', external: THINGS };
const CLUSTER_ISSUER: SignerRef = { kind: 'ClusterIssuer', namespace: '', name: 'acme' };

function wantedFor(ref: SignerRef): CertificateRequest {
  const csr = { ...buildCsr(), metadata: { ...buildCsr().metadata, labels: { team: 'a' } } };
  const requested = valueOf(toRequestedCertificate(csr, AS_CERT_MANAGER, { type: 'venafi' }));
  if (!hasSent(requested)) assert.fail('nothing was sent');
  return toCertificateRequest({ ref, requested }, 'cert-manager', 1);
}

describe('the name of a CertificateRequest', () => {
  const cases =
    readVectors<{ name: string; uid: string; attempt: number; expected: string }[]>('delegation/names.yaml');
  for (const { name, uid, attempt, expected } of cases) {
    it(`for ${name}, uid ${uid}, attempt ${attempt} is ${expected}`, () =>
      assert.equal(nameFor(name, uid, attempt), expected));
  }
});

describe('the CertificateRequest for a CSR', () => {
  it('asks for exactly what the CSR asks for, and belongs to it', () => {
    assert.deepEqual(wantedFor(ISSUER), {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: {
        name: nameFor('jane', 'uid-of-jane', 1),
        namespace: 'sandbox',
        labels: { team: 'a', 'countersign.io/delegated': 'true' },
        annotations: { 'countersign.io/requester': 'jane' },
        ownerReferences: [
          {
            apiVersion: 'certificates.k8s.io/v1',
            kind: 'CertificateSigningRequest',
            name: 'jane',
            uid: 'uid-of-jane',
            controller: true,
          },
        ],
      },
      spec: {
        request: readRequest('p256'),
        issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'my-ca' },
        usages: ['digital signature', 'key encipherment'],
        duration: '2160h0m0s',
        isCA: false,
      },
    });
  });

  it('for a ClusterIssuer is in the cluster resource namespace', () => {
    const { metadata, spec } = wantedFor(CLUSTER_ISSUER);
    assert.equal(metadata.namespace, 'cert-manager');
    assert.deepEqual(spec.issuerRef, { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'acme' });
  });
});

describe('a CertificateRequest for an external issuer', () => {
  it('names the group and kind of the issuer, and is in its namespace', () => {
    const { metadata, spec } = wantedFor(EXTERNAL);
    assert.equal(metadata.namespace, 'sandbox');
    assert.deepEqual(spec.issuerRef, { group: 'things.example.com', kind: 'ThingIssuer', name: 'my-ca' });
  });

  it('is in the cluster resource namespace if the type is cluster-scoped', () => {
    const external = { ...THINGS, plural: 'clusterissuers', kind: 'Issuer', isNamespaced: false };
    const { metadata, spec } = wantedFor({ kind: 'Issuer', namespace: '', name: 'my-ca', external });
    assert.equal(metadata.namespace, 'cert-manager');
    assert.deepEqual(spec.issuerRef, { group: 'things.example.com', kind: 'Issuer', name: 'my-ca' });
  });
});

describe('a CertificateRequest that exists', () => {
  const wanted = wantedFor(ISSUER);
  const [owner] = wanted.metadata.ownerReferences ?? [];
  const stored = { ...wanted, spec: { ...wanted.spec, username: OWN } };
  const withSpec = (spec: object) => ({ ...stored, spec: { ...stored.spec, ...spec } });
  const withOwners = (...ownerReferences: object[]) =>
    ({ ...stored, metadata: { ...stored.metadata, ownerReferences } }) as CertificateRequest;

  it('is ours if it is as it would be created', () => assert.equal(findDifference(stored, wanted, OWN), undefined));

  it('is ours if the same duration is written in another way, or isCA is left out', () => {
    const { isCA: _, ...spec } = stored.spec;
    assert.equal(findDifference({ ...stored, spec: { ...spec, duration: '129600m' } }, wanted, OWN), undefined);
  });

  for (const [found, field] of [
    [withSpec({ username: 'eve' }), 'spec.username'],
    [withSpec({ username: undefined }), 'spec.username'],
    [withSpec({ username: '' }), 'spec.username'],
    [withOwners(), 'metadata.ownerReferences'],
    [withOwners({ ...owner, uid: 'another' }), 'metadata.ownerReferences'],
    [withOwners({ ...owner, controller: false }), 'metadata.ownerReferences'],
    [withSpec({ request: readRequest('p384') }), 'spec.request'],
    [withSpec({ issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'my-ca' } }), 'spec.issuerRef'],
    [withSpec({ issuerRef: { group: 'awspca.cert-manager.io', kind: 'Issuer', name: 'my-ca' } }), 'spec.issuerRef'],
    [withSpec({ issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'another' } }), 'spec.issuerRef'],
    [withSpec({ isCA: true }), 'spec.isCA'],
    [withSpec({ usages: ['digital signature'] }), 'spec.usages'],
    [withSpec({ usages: ['digital signature', 'cert sign'] }), 'spec.usages'],
    [withSpec({ duration: '1h' }), 'spec.duration'],
    [withSpec({ duration: undefined }), 'spec.duration'],
  ] as const) {
    it(`is not ours if ${field} is ${JSON.stringify(field.split('.').reduce<unknown>(dig, found))?.slice(0, 60)}`, () =>
      assert.equal(findDifference(found, wanted, OWN), field));
  }
});

function dig(object: unknown, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

interface StatusCase {
  readonly title: string;
  readonly type: DelegatedType;
  readonly age?: number;
  /** `ago`: seconds since the transition. */
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly ago?: number }[];
  readonly certificate?: string;
  readonly expected: string;
  readonly again?: number;
}

describe('the status of a CertificateRequest', () => {
  const now = new Date('2026-11-24T12:00:00Z');
  for (const { title, type, age = 0, conditions, certificate, expected, again } of readVectors<StatusCase[]>(
    'delegation/statuses.yaml',
  )) {
    it(title, () => {
      const metadata = {
        name: 'cr',
        namespace: 'sandbox',
        creationTimestamp: new Date(now.getTime() - age * 1_000).toISOString(),
      };
      const dated = conditions.map(({ ago, ...rest }) =>
        ago === undefined ? rest : { ...rest, lastTransitionTime: new Date(now.getTime() - ago * 1_000).toISOString() },
      );
      const ref = type === 'external' ? EXTERNAL : ISSUER;
      const status = {
        conditions: dated,
        ...(certificate && { certificate: Buffer.from(certificate).toString('base64') }),
      };
      const answer = answerOfStatus({ ...wantedFor(ref), metadata, status }, { type, ref, now });
      assert.equal(
        answer.kind === 'issued' ? `issued ${answer.chainPem}` : `${answer.kind} ${answer.reason}: ${answer.message}`,
        expected,
      );
      if (again !== undefined) assert.equal(answer.kind === 'wait' && answer.requeueAfterMs, again);
    });
  }
});

it('only types without a key of ours are delegable', () =>
  assert.deepEqual(
    Object.entries(issuerTypes).flatMap(([type, { delegable }]) => (delegable ? [type] : [])),
    ['acme', 'venafi', 'external'],
  ));
