// Requests for names that the CA of their issuer may not sign by its name constraints. Read by admissions.test.ts.

import type { Issuer } from '@countersign/common/issuer.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { altNames, constrainedCa } from '../../support/name-constraints.ts';
import {
  api,
  CA,
  type Case,
  CLUSTER,
  caSecret,
  DENIAL,
  READY,
  REVIEW_CA,
  REVIEW_STAR,
  SELF_SIGNED,
} from './admission-world.ts';
import type { World } from './webhook-fixture.ts';

const request = buildRequest([altNames('DNS:a.example.com', 'DNS:www.example.org', 'DNS:b.example.org')]);
const constrained = [constrainedCa('sub', { permitted: ['DNS:example.com'] })];
const withUid = (issuer: Issuer): Issuer => ({ ...issuer, metadata: { ...issuer.metadata, uid: 'u1' } });
const issuers = { 'sandbox/ca': withUid(CA), '/ca': withUid(CA) };
const granted: World = { issuers, answer: api(['ca'], caSecret), constrained };
const refused = (name: string) =>
  `spec.request: The name constraints of the CA "CN=sub" do not permit the DNS name "${name}"; permitted: "example.com". Request another name, or use another issuer (NameConstraintViolation)`;
const allowed = {
  code: 422,
  reason: 'NameConstraintViolation',
  message: `${refused('www.example.org')}\n${refused('b.example.org')}`,
};
const causes = ['NameConstraintViolation spec.request', 'NameConstraintViolation spec.request'];

export const CONSTRAINT_CASES: readonly Case[] = [
  {
    name: 'every name that the CA may not sign is refused, with what it may sign',
    create: { request },
    world: granted,
    allowed,
    causes,
    calls: [REVIEW_CA],
  },
  {
    name: 'a ClusterIssuer that every requester may use refuses names, too',
    create: { request, signerName: CLUSTER },
    world: granted,
    allowed,
    causes,
    calls: [],
  },
  {
    name: 'names that the CA may sign are admitted',
    create: { request: buildRequest([altNames('DNS:a.example.com')]) },
    world: granted,
    allowed: true,
  },
  {
    name: 'a requester who may not use the issuer learns nothing of what its CA may sign',
    create: { request },
    world: { ...granted, answer: api([]) },
    allowed: { code: 403, reason: 'DeniedReference', message: DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an issuer that is no CA any more refuses no names for what its CA could sign',
    create: { request },
    world: {
      ...granted,
      issuers: {
        'sandbox/ca': withUid({ ...SELF_SIGNED, metadata: { name: 'ca' }, spec: { vault: {} }, status: READY }),
      },
    },
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type vault: Countersign signs with ca and selfSigned only, the request waits for another signer',
    ],
  },
  {
    name: 'where nothing is known of the issuer, its names are left to the signer',
    create: { request },
    world: { answer: api(['ca'], caSecret), constrained },
    allowed: true,
  },
  {
    name: 'a change of a request is not judged by the constraints of its CA',
    update: { before: { request }, after: { request, annotations: { other: 'x' } } },
    world: granted,
    allowed: true,
    calls: [],
  },
];
