// Requests for names that the CA of their issuer may not sign by its name constraints. Read by admit.test.ts.

import { beyondConstraints, DENIED } from '../../support/admission-answers.ts';
import { CA, CLUSTER } from '../../support/admission-reviews.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { altNames, constrainedCa } from '../../support/name-constraints.ts';
import type { UnitCase } from './judgement.ts';

const request = buildRequest([altNames('DNS:a.example.com', 'DNS:www.example.org', 'DNS:b.example.org')]);
const constrained = [constrainedCa('sub', { permitted: ['DNS:example.com'] })];

export const CONSTRAINT_CASES: readonly UnitCase[] = [
  {
    name: 'every name that the CA may not sign is refused, with what it may sign',
    create: { request },
    known: { constrained },
    ...beyondConstraints('www.example.org', 'b.example.org'),
  },
  {
    name: 'a ClusterIssuer that every requester may use also refuses names',
    create: { request, signerName: CLUSTER },
    known: { constrained },
    asksPermission: false,
    ...beyondConstraints('www.example.org', 'b.example.org'),
  },
  {
    name: 'whoever may not use the issuer learns nothing of what its CA may sign',
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
    name: 'an issuer that is no longer a CA refuses no names for what its CA could sign',
    create: { request },
    known: { constrained, issuer: { ...CA, spec: { vault: {} } } },
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type vault, which Countersign does not sign with (only ca and selfSigned); the request waits for another signer',
    ],
  },
  {
    name: 'a change of a request is not judged by the constraints of its CA',
    update: { before: { request }, after: { request, annotations: { other: 'x' } } },
    known: { constrained },
    allowed: true,
  },
];
