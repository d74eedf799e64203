// What the webhook asks of the API server before it answers, and what it makes of the answers. Read by handler.test.ts; the answers
// to what was found are in test/unit/webhook.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
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
} from './admission-world.ts';
import type { World } from './webhook-fixture.ts';

const REVIEW_SELF = 'create SubjectAccessReview reference signers sandbox/self';
const REVIEW_CLUSTER = 'create SubjectAccessReview reference clusterissuers /ca';
const READ_CLUSTER_SECRET = 'get /api/v1/namespaces/countersign/secrets/ca-pair';

export const REVIEW_CASES: readonly Case[] = [
  {
    name: 'the permission for the name * also counts',
    world: { issuers: ISSUERS, answer: api(['*'], caSecret) },
    allowed: true,
    calls: [REVIEW_CA, REVIEW_STAR, READ_SECRET],
  },
  {
    name: 'an access review that evaluates with errors and does not allow refuses',
    world: {
      issuers: ISSUERS,
      answer: ({ body }) => ({ ...(body as object), status: { allowed: false, evaluationError: 'x' } }),
    },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an access review whose connection breaks is asked for again',
    world: { issuers: ISSUERS, answer: breakingOnce(api(['ca'], caSecret)) },
    allowed: true,
    calls: [REVIEW_CA, REVIEW_CA, READ_SECRET],
  },
  {
    name: 'an access review that the API server refuses is not asked for again',
    world: failing(() => {
      throw new RetryableError('POST: 403', { code: 'forbidden' });
    }),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review that takes too long refuses',
    world: failing(() => new Promise(() => undefined)),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review without an answer refuses',
    world: failing(() => ({})),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review whose answer is no boolean refuses',
    world: failing(() => ({ status: { allowed: 'true' } })),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA],
  },
  { name: 'a ClusterIssuer needs no permission', create: { signerName: CLUSTER }, allowed: true, calls: [] },
  {
    name: 'a signer name that can name no issuer is refused, without asking for permission',
    create: { signerName: 'issuers.cert-manager.io/no-namespace' },
    allowed: { code: 422, reason: 'InvalidSignerName', message: /^spec\.signerName: / },
    causes: ['InvalidSignerName spec.signerName'],
    calls: [],
  },
  {
    name: 'while issuers are not known, nothing is concluded from them',
    create: { signerName: SELF },
    world: { answer: api(['self']) },
    allowed: true,
    calls: [REVIEW_SELF],
  },
];

const authorizing = { ...NO_DEMANDS, authorizeClusterIssuers: true };

/** Where ClusterIssuers also need a permission. */
export const CLUSTER_REVIEW_CASES: readonly Case[] = [
  {
    name: 'a requester who may reference the ClusterIssuer is admitted',
    create: { signerName: CLUSTER },
    world: { ...GRANTED, policy: authorizing },
    allowed: true,
    calls: [REVIEW_CLUSTER, READ_CLUSTER_SECRET],
  },
  {
    name: 'the permission for the name * also counts',
    create: { signerName: CLUSTER },
    world: { issuers: ISSUERS, answer: api(['*'], caSecret), policy: authorizing },
    allowed: true,
    calls: [REVIEW_CLUSTER, 'create SubjectAccessReview reference clusterissuers /*', READ_CLUSTER_SECRET],
  },
  {
    name: 'without it the request is refused',
    create: { signerName: CLUSTER },
    world: { issuers: ISSUERS, answer: api([]), policy: authorizing },
    allowed: { code: 403, reason: 'DeniedReference', message: CLUSTER_DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CLUSTER, 'create SubjectAccessReview reference clusterissuers /*'],
  },
  {
    name: 'the permission is none to ask which Secrets are in the cluster resource namespace',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    world: { issuers: ISSUERS, answer: api(['self']), policy: authorizing },
    allowed: true,
    calls: ['create SubjectAccessReview reference clusterissuers /self'],
  },
];

export const SECRET_CASES: readonly Case[] = [
  {
    name: 'a missing Secret of the CA is a warning',
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist: the request waits for it'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a missing Secret with the key for a SelfSigned issuer is a warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/my-key does not exist: the request waits for it'],
    calls: [REVIEW_SELF, 'get /api/v1/namespaces/sandbox/secrets/my-key'],
  },
  {
    name: 'a certificate beside the key for a SelfSigned issuer says nothing of how long the new one is valid',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'ca-pair', [DURATION]: '17520h' } },
    allowed: true,
    calls: [REVIEW_SELF, READ_SECRET],
  },
  {
    name: 'the Secret of a ClusterIssuer is not looked for: no permission was asked for',
    create: { signerName: CLUSTER },
    world: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'a Secret that a request names in the cluster resource namespace is not looked for',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    world: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'a name that no Secret can have is never made part of a path',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: { code: 422, reason: 'InvalidSecretName', message: /is not a valid Secret name/ },
    causes: [`InvalidSecretName ${SECRET_FIELD}`],
    calls: [REVIEW_SELF],
  },
  {
    name: 'no Secret is looked for when others sign',
    world: issuer({ vault: {} }),
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type vault: Countersign signs with ca and selfSigned only, the request waits for another signer',
    ],
    calls: [REVIEW_CA],
  },
  {
    name: 'no Secret is looked for when the issuer has no type',
    world: issuer({}),
    allowed: true,
    warnings: ['Issuer sandbox/ca has no type: the request waits until its spec names one'],
    calls: [REVIEW_CA],
  },
  {
    name: 'a Secret that may not be read gives no warning',
    world: secret(() => {
      throw new RetryableError('forbidden', { code: 'forbidden' });
    }),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a Secret that is not read in time gives no warning',
    world: secret(() => new Promise(() => undefined)),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'a Secret without a readable certificate gives no warning',
    world: secret({ data: { 'tls.crt': 'cnViYmlzaA==' } }),
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
];

const request = buildRequest([altNames('DNS:a.example.com', 'DNS:www.example.org')]);
const withUid = (known: Issuer): Issuer => ({ ...known, metadata: { ...known.metadata, uid: 'u1' } });
/** Nothing is known of issuers. */
const unknown: World = {
  answer: api(['ca'], caSecret),
  constrained: [constrainedCa('sub', { permitted: ['DNS:example.com'] })],
};
const constrained: World = { ...unknown, issuers: { 'sandbox/ca': withUid(CA), '/ca': withUid(CA) } };

/** Where the CA of the issuer has name constraints. */
export const CONSTRAINT_CASES: readonly Case[] = [
  {
    name: 'a name that it may not sign is refused',
    create: { request },
    world: constrained,
    ...beyondConstraints('www.example.org'),
    calls: [REVIEW_CA],
  },
  {
    name: 'a ClusterIssuer that every requester may use also refuses names',
    create: { request, signerName: CLUSTER },
    world: constrained,
    ...beyondConstraints('www.example.org'),
    calls: [],
  },
  {
    name: 'a requester who may not use the issuer learns nothing of what its CA may sign',
    create: { request },
    world: { ...constrained, answer: api([]) },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an issuer that became SelfSigned refuses no names for what its CA could sign',
    create: { request, annotations: { [KEY_SECRET]: 'my-key' } },
    world: { ...constrained, issuers: { 'sandbox/ca': withUid({ ...CA, spec: { selfSigned: {} } }) } },
    allowed: true,
    calls: [REVIEW_CA, 'get /api/v1/namespaces/sandbox/secrets/my-key'],
  },
  {
    name: 'where nothing is known of the issuer, its names are left to the signer',
    create: { request },
    world: unknown,
    allowed: true,
    calls: [REVIEW_CA],
  },
];
