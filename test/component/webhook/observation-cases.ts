// The webhook's calls to the API server before it answers, and how their results affect the answer. Used by
// handler.test.ts; the decisions on observed facts are tested in test/unit/webhook.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { beyondConstraints, CLUSTER_DENIAL, DENIED, SECRET_FIELD } from '../../support/admission-answers.ts';
import { CA, CLUSTER, CLUSTER_SELF, ISSUERS, SELF } from '../../support/admission-reviews.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { altNames, constrainedCa } from '../../support/name-constraints.ts';
import {
  api,
  breakingOnce,
  type Case,
  caSecret,
  failing,
  GRANTED,
  issuer,
  NOT_ANSWERED,
  READ_SECRET,
  REVIEW_CA,
  REVIEW_STAR,
  secret,
} from './admission-cluster.ts';
import type { ClusterState } from './webhook-fixture.ts';

const REVIEW_SELF = 'create SubjectAccessReview reference signers sandbox/self';
const REVIEW_CLUSTER = 'create SubjectAccessReview reference clusterissuers /ca';
const READ_CLUSTER_SECRET = 'get /api/v1/namespaces/countersign/secrets/ca-pair';

export const REVIEW_CASES: readonly Case[] = [
  {
    name: 'permission for the name * is sufficient for an Issuer',
    cluster: { issuers: ISSUERS, answer: api(['*'], caSecret) },
    allowed: true,
    calls: [REVIEW_CA, REVIEW_STAR, READ_SECRET],
  },
  {
    name: 'an access review with an evaluation error that does not allow denies the request',
    cluster: {
      issuers: ISSUERS,
      answer: ({ body }) => ({ ...(body as object), status: { allowed: false, evaluationError: 'x' } }),
    },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an access review whose connection breaks is retried',
    cluster: { issuers: ISSUERS, answer: breakingOnce(api(['ca'], caSecret)) },
    allowed: true,
    calls: [REVIEW_CA, REVIEW_CA, READ_SECRET],
  },
  {
    name: 'an access review that the API server rejects is not retried',
    cluster: failing(() => {
      throw new RetryableError('POST: 403', { code: 'forbidden' });
    }),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review that takes too long denies the request',
    cluster: failing(() => new Promise(() => undefined)),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review without a status denies the request',
    cluster: failing(() => ({})),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review whose result is not a boolean denies the request',
    cluster: failing(() => ({ status: { allowed: 'true' } })),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  { name: 'a ClusterIssuer needs no permission', create: { signerName: CLUSTER }, allowed: true, calls: [] },
  {
    name: 'a malformed signer name is denied without an access review',
    create: { signerName: 'issuers.cert-manager.io/no-namespace' },
    allowed: { code: 422, reason: 'InvalidSignerName', message: /^spec\.signerName: / },
    causes: ['InvalidSignerName spec.signerName'],
    calls: [],
  },
  {
    name: 'the rules of an issuer type do not apply while the issuer is unknown',
    create: { signerName: SELF },
    cluster: { answer: api(['self']) },
    allowed: true,
    calls: [REVIEW_SELF],
  },
];

const authorizing = { ...PERMISSIVE_POLICY, authorizeClusterIssuers: true };

/** ClusterIssuers also require permission. */
export const CLUSTER_REVIEW_CASES: readonly Case[] = [
  {
    name: 'a requester with permission for the ClusterIssuer is admitted',
    create: { signerName: CLUSTER },
    cluster: { ...GRANTED, policy: authorizing },
    allowed: true,
    calls: [REVIEW_CLUSTER, READ_CLUSTER_SECRET],
  },
  {
    name: 'permission for the name * is sufficient for a ClusterIssuer',
    create: { signerName: CLUSTER },
    cluster: { issuers: ISSUERS, answer: api(['*'], caSecret), policy: authorizing },
    allowed: true,
    calls: [REVIEW_CLUSTER, 'create SubjectAccessReview reference clusterissuers /*', READ_CLUSTER_SECRET],
  },
  {
    name: 'a requester without permission for the ClusterIssuer is denied',
    create: { signerName: CLUSTER },
    cluster: { issuers: ISSUERS, answer: api([]), policy: authorizing },
    allowed: { code: 403, reason: 'DeniedReference', message: CLUSTER_DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CLUSTER, 'create SubjectAccessReview reference clusterissuers /*'],
  },
  {
    name: 'permission for a ClusterIssuer does not reveal Secrets in the cluster resource namespace',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    cluster: { issuers: ISSUERS, answer: api(['self']), policy: authorizing },
    allowed: true,
    calls: ['create SubjectAccessReview reference clusterissuers /self'],
  },
];

export const SECRET_CASES: readonly Case[] = [
  {
    name: 'a missing Secret of the CA gets a warning',
    cluster: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist; the request waits until it is created'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a missing Secret with the key for a SelfSigned issuer gets a warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    cluster: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/my-key does not exist; the request waits until it is created'],
    calls: [REVIEW_SELF, 'get /api/v1/namespaces/sandbox/secrets/my-key'],
  },
  {
    name: 'the expiry of a certificate next to the key for a SelfSigned issuer gets no warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'ca-pair', [DURATION]: '17520h' } },
    allowed: true,
    calls: [REVIEW_SELF, READ_SECRET],
  },
  {
    name: 'the Secret of a ClusterIssuer is not read if no permission was reviewed',
    create: { signerName: CLUSTER },
    cluster: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'a Secret that a request names in the cluster resource namespace is not read',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    cluster: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'an invalid Secret name never becomes part of a path',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: { code: 422, reason: 'InvalidSecretName', message: /is not a valid Secret name/ },
    causes: [`InvalidSecretName ${SECRET_FIELD}`],
    calls: [REVIEW_SELF],
  },
  {
    name: 'no Secret is read if another signer signs',
    cluster: issuer({ venafi: {} }),
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type venafi, which Countersign does not sign with (only ca, vault, selfSigned); the request waits for another signer',
    ],
    calls: [REVIEW_CA],
  },
  {
    name: 'no Secret is read if the issuer has no type',
    cluster: issuer({}),
    allowed: true,
    warnings: ['Issuer sandbox/ca has no type in its spec; the request waits until it has one'],
    calls: [REVIEW_CA],
  },
  {
    name: 'a Secret that the webhook may not read gets no warning',
    cluster: secret(() => {
      throw new RetryableError('forbidden', { code: 'forbidden' });
    }),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a Secret that is not read in time gets no warning',
    cluster: secret(() => new Promise(() => undefined)),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a Secret without a readable certificate gets no warning',
    cluster: secret({ data: { 'tls.crt': 'cnViYmlzaA==' } }),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
];

const request = buildRequest([altNames('DNS:a.example.com', 'DNS:www.example.org')]);
const withUid = (known: Issuer): Issuer => ({ ...known, metadata: { ...known.metadata, uid: 'u1' } });
/** The issuers are unknown. */
const unknown: ClusterState = {
  answer: api(['ca'], caSecret),
  constrained: [constrainedCa('sub', { permitted: ['DNS:example.com'] })],
};
const constrained: ClusterState = { ...unknown, issuers: { 'sandbox/ca': withUid(CA), '/ca': withUid(CA) } };

/** The CA of the issuer has name constraints. */
export const CONSTRAINT_CASES: readonly Case[] = [
  {
    name: 'a name that the CA may not sign is denied',
    create: { request },
    cluster: constrained,
    ...beyondConstraints('www.example.org'),
    calls: [REVIEW_CA],
  },
  {
    name: 'names are also denied for a ClusterIssuer that every requester may use',
    create: { request, signerName: CLUSTER },
    cluster: constrained,
    ...beyondConstraints('www.example.org'),
    calls: [],
  },
  {
    name: 'a requester who may not use the issuer learns nothing about the name constraints of its CA',
    create: { request },
    cluster: { ...constrained, answer: api([]) },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'the name constraints of an issuer that became SelfSigned are ignored',
    create: { request, annotations: { [KEY_SECRET]: 'my-key' } },
    cluster: { ...constrained, issuers: { 'sandbox/ca': withUid({ ...CA, spec: { selfSigned: {} } }) } },
    allowed: true,
    calls: [REVIEW_CA, 'get /api/v1/namespaces/sandbox/secrets/my-key'],
  },
  {
    name: 'the names in a request for an unknown issuer are left to the signer',
    create: { request },
    cluster: unknown,
    allowed: true,
    calls: [REVIEW_CA],
  },
];
