// Requests for names that the name constraints of the issuer's CA forbid. Used by admit.test.ts.

import { beyondConstraints, DENIED } from '../../support/admission-answers.ts';
import { CA, CLUSTER } from '../../support/admission-reviews.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { altNames, constrainedCa } from '../../support/name-constraints.ts';
import type { UnitCase } from './judgement.ts';

const request = buildRequest([altNames('DNS:a.example.com', 'DNS:www.example.org', 'DNS:b.example.org')]);
const constrained = [constrainedCa('sub', { permitted: ['DNS:example.com'] })];

export const CONSTRAINT_CASES: readonly UnitCase[] = [
  {
    name: 'each name that the CA may not sign is denied, and the message lists the permitted names',
    create: { request },
    known: { constrained },
    ...beyondConstraints('www.example.org', 'b.example.org'),
  },
  {
    name: 'names are also denied for a ClusterIssuer that every requester may use',
    create: { request, signerName: CLUSTER },
    known: { constrained },
    asksPermission: false,
    ...beyondConstraints('www.example.org', 'b.example.org'),
  },
  {
    name: 'a requester who may not use the issuer learns nothing about the name constraints of its CA',
    create: { request },
    known: { constrained, permission: 'missing' },
    ...DENIED,
  },
  {
    name: 'names that the CA may sign are admitted',
    create: { request: buildRequest([altNames('DNS:a.example.com')]) },
    known: { constrained },
    allowed: true,
  },
  {
    name: 'the name constraints of an issuer that is no longer a CA issuer are ignored',
    create: { request },
    known: { constrained, issuer: { ...CA, spec: { venafi: {} } } },
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type venafi, which Countersign does not sign with (only ca, vault, selfSigned); the request waits for another signer',
    ],
  },
  {
    name: 'an update is not checked against the name constraints of the CA',
    update: { before: { request }, after: { request, annotations: { other: 'x' } } },
    known: { constrained },
    allowed: true,
  },
];
