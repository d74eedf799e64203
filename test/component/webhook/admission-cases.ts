// What the webhook answers, as data: the request, the world, the answer, and every call to the API server, the empty list
// included. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import { denialText } from '@countersign/common/reference-permission.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { type CsrParts, makeKeyPair, type World } from './webhook-fixture.ts';

const READY = { conditions: [{ type: 'Ready', status: 'True', reason: 'KeyPairVerified' }] };
const CA: Issuer = {
  metadata: { name: 'ca', namespace: 'sandbox' },
  spec: { ca: { secretName: 'ca-pair' } },
  status: READY,
};
const SELF_SIGNED: Issuer = { metadata: { name: 'self' }, spec: { selfSigned: {} }, status: READY };
export const ISSUERS = { 'sandbox/ca': CA, '/ca': CA, 'sandbox/self': SELF_SIGNED, '/self': SELF_SIGNED };
const CLUSTER = 'clusterissuers.cert-manager.io/ca';
const SELF = 'issuers.cert-manager.io/sandbox.self';
const CA_PEM = makeKeyPair('ca', 365).cert;

/** Answers access reviews for these names with yes, and Secrets with the given certificate. */
export function api(permitted: readonly string[], secret: unknown = undefined): (call: RecordedCall) => unknown {
  return ({ verb, body }) => {
    if (verb === 'get') return typeof secret === 'function' ? secret() : secret;
    const { name } = (body as { spec: { resourceAttributes: { name: string } } }).spec.resourceAttributes;
    return { ...(body as object), status: { allowed: permitted.includes(name) } };
  };
}

const caSecret = { metadata: { name: 'ca-pair' }, data: { 'tls.crt': Buffer.from(CA_PEM).toString('base64') } };
export const GRANTED: World = { issuers: ISSUERS, answer: api(['ca', 'self'], caSecret) };
const REVIEW_CA = 'create SubjectAccessReview reference signers sandbox/ca';
const REVIEW_STAR = 'create SubjectAccessReview reference signers sandbox/*';
const READ_SECRET = 'get /api/v1/namespaces/sandbox/secrets/ca-pair';
const READ_CLUSTER_SECRET = 'get /api/v1/namespaces/countersign/secrets/ca-pair';
const DENIAL = denialText({ kind: 'Issuer', namespace: 'sandbox', name: 'ca' }, 'jane').trimEnd();
const DURATION_FIELD = `metadata.annotations[${DURATION}]`;
const BAD_DURATION = `${DURATION_FIELD}: Failed to parse requested duration: failed to parse requested duration on annotation "${DURATION}": time: invalid duration "foo" (ErrorParseDuration)`;
const MISSING_ANNOTATION = `metadata.annotations[${KEY_SECRET}]: Missing private key reference annotation: "${KEY_SECRET}" (MissingAnnotation)`;

export interface Case {
  readonly name: string;
  readonly create?: CsrParts;
  readonly update?: { readonly before: CsrParts; readonly after: CsrParts; readonly subResource?: string };
  readonly request?: Record<string, unknown>;
  readonly world?: World;
  /** `true`, or what status says. */
  readonly allowed: true | { readonly code: number; readonly reason: string; readonly message: string | RegExp };
  readonly causes?: readonly string[];
  readonly warnings?: readonly string[];
  readonly calls?: readonly string[];
}

export const failing = (error: () => unknown): World => ({
  issuers: ISSUERS,
  answer: error as World['answer'] & object,
});
export const network = () => {
  throw new RetryableError('POST https://10.0.0.1: connect ECONNREFUSED', { code: 'network' });
};
const notAnswered = {
  code: 500,
  reason: 'AccessReviewFailed',
  message: 'Could not check whether the requester may reference Issuer sandbox/ca; try again',
};
const issuer = (status: unknown, spec: unknown = { ca: { secretName: 'ca-pair' } }): World => ({
  ...GRANTED,
  issuers: { 'sandbox/ca': { metadata: { name: 'ca' }, spec, status } as Issuer },
});
const secret = (answer: unknown): World => ({ issuers: ISSUERS, answer: api(['ca', 'self'], answer) });
const locked = (key: string) => ({
  code: 422,
  reason: 'ImmutableAnnotation',
  message: `metadata.annotations[${key}]: Annotation "${key}" is part of the request and may not change once the request is approved; create a new one instead (ImmutableAnnotation)`,
});
const APPROVED_LEAF = { isApproved: true };
const APPROVED_CA = { isApproved: true, annotations: { [IS_CA]: 'true' } };

export const CASES: readonly Case[] = [
  { name: 'a permitted requester is let in', allowed: true, calls: [REVIEW_CA, READ_SECRET] },
  {
    name: 'the permission for the name * counts, too',
    world: { issuers: ISSUERS, answer: api(['*'], caSecret) },
    allowed: true,
    calls: [REVIEW_CA, REVIEW_STAR, READ_SECRET],
  },
  {
    name: 'a dry run gets the same answer',
    request: { dryRun: true },
    world: { issuers: ISSUERS, answer: api([]) },
    allowed: { code: 403, reason: 'DeniedReference', message: DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'without the permission the refusal shows what would grant it, and no Secret is looked at',
    world: { issuers: ISSUERS, answer: api([]) },
    allowed: { code: 403, reason: 'DeniedReference', message: DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'a missing permission and everything else that is wrong are told at once',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['digital signature', 'foo'] },
    world: { issuers: ISSUERS, answer: api([]) },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request is wrong besides:\n${BAD_DURATION}\nspec.usages: Error generating certificate template: unknown key usages: [foo] (SigningError)`,
    },
    causes: ['DeniedReference spec.signerName', `ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an access review that evaluates with errors and does not allow is a no',
    world: {
      issuers: ISSUERS,
      answer: ({ body }) => ({ ...(body as object), status: { allowed: false, evaluationError: 'x' } }),
    },
    allowed: { code: 403, reason: 'DeniedReference', message: DENIAL },
    causes: ['DeniedReference spec.signerName'],
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'an access review that fails refuses, and says nothing of the cause',
    world: failing(network),
    allowed: notAnswered,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review that takes too long refuses',
    world: failing(() => new Promise(() => undefined)),
    allowed: notAnswered,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review without an answer refuses',
    world: failing(() => ({})),
    allowed: notAnswered,
    calls: [REVIEW_CA],
  },
  {
    name: 'an access review whose answer is no boolean refuses',
    world: failing(() => ({ status: { allowed: 'true' } })),
    allowed: notAnswered,
    calls: [REVIEW_CA],
  },
  {
    name: 'an error that nobody foresaw refuses, and says nothing of the cause',
    world: failing(() => {
      throw new TypeError('secret detail');
    }),
    allowed: { code: 500, reason: 'InternalError', message: 'the webhook could not decide; try again' },
    calls: [REVIEW_CA],
  },
  {
    name: 'a ClusterIssuer needs no permission',
    create: { signerName: CLUSTER },
    allowed: true,
    calls: [READ_CLUSTER_SECRET],
  },
  {
    name: "another signer's request is none of our business",
    create: { signerName: 'kubernetes.io/kubelet-serving', annotations: { [DURATION]: 'foo' }, request: 'rubbish' },
    allowed: true,
    calls: [],
  },
  {
    name: 'a signer name that would hang for ever is refused, without asking for permission',
    create: { signerName: 'issuers.cert-manager.io/no-namespace' },
    allowed: {
      code: 422,
      reason: 'InvalidSignerName',
      message: /^spec\.signerName: Signer name .* \(InvalidSignerName\)$/,
    },
    causes: ['InvalidSignerName spec.signerName'],
    calls: [],
  },
  {
    name: 'everything that is wrong is told at once',
    create: { signerName: CLUSTER, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    allowed: {
      code: 422,
      reason: 'ErrorParseDuration',
      message: `${BAD_DURATION}\nspec.usages: Error generating certificate template: unknown key usages: [foo] (SigningError)`,
    },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
    calls: [],
  },
  {
    name: 'a SelfSigned issuer needs the name of the Secret with the key',
    create: { signerName: SELF },
    allowed: { code: 422, reason: 'MissingAnnotation', message: MISSING_ANNOTATION },
    causes: [`MissingAnnotation metadata.annotations[${KEY_SECRET}]`],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'an empty name of that Secret is as good as none',
    create: { signerName: 'clusterissuers.cert-manager.io/self', annotations: { [KEY_SECRET]: '' } },
    allowed: { code: 422, reason: 'MissingAnnotation', message: MISSING_ANNOTATION },
    causes: [`MissingAnnotation metadata.annotations[${KEY_SECRET}]`],
    calls: [],
  },
  {
    name: 'a SelfSigned issuer calls a contradiction by its own reason',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'key' }, usages: ['foo'] },
    allowed: {
      code: 422,
      reason: 'ErrorGenerating',
      message: /^spec\.usages: .*unknown key usages.* \(ErrorGenerating\)$/,
    },
    causes: ['ErrorGenerating spec.usages'],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'while issuers are not known, nothing is concluded from them',
    create: { signerName: SELF },
    world: { answer: api(['self']) },
    allowed: true,
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },

  {
    name: 'a missing issuer is a warning',
    world: { issuers: {}, answer: api(['ca']) },
    allowed: true,
    warnings: ['Issuer sandbox/ca does not exist: the request waits for it'],
    calls: [REVIEW_CA],
  },
  {
    name: 'an issuer that is not Ready is a warning that says why',
    world: issuer({
      conditions: [{ type: 'Ready', status: 'False', reason: 'ErrGetKeyPair', message: 'secrets "x" not found' }],
    }),
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready, the request waits (ErrGetKeyPair: secrets "x" not found)'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'an issuer without a Ready condition is a warning',
    world: issuer(undefined),
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready, the request waits'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'an issuer without a type is a warning',
    world: issuer(READY, {}),
    allowed: true,
    warnings: ['Issuer sandbox/ca has no type: the request waits until its spec names one'],
    calls: [REVIEW_CA],
  },
  {
    name: 'a missing Secret of the CA is a warning',
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist: the request waits for it'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'the Secret of a ClusterIssuer is looked for in the cluster resource namespace',
    create: { signerName: CLUSTER },
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret countersign/ca-pair does not exist: the request waits for it'],
    calls: [READ_CLUSTER_SECRET],
  },
  {
    name: 'a missing Secret with the key for a SelfSigned issuer is a warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/my-key does not exist: the request waits for it'],
    calls: [
      'create SubjectAccessReview reference signers sandbox/self',
      'get /api/v1/namespaces/sandbox/secrets/my-key',
    ],
  },
  {
    name: 'a name that no Secret can have is never made part of a path',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: true,
    warnings: ['Secret sandbox/../../kube-system/secrets?watch=1 does not exist: the request waits for it'],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
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

/** What each is a warning for, or is none for. */
export const WARNED: readonly Case[] = [
  {
    name: 'annotation and expirationSeconds that disagree',
    create: { annotations: { [DURATION]: '1h' }, expirationSeconds: 7200 },
    allowed: true,
    warnings: [`spec.expirationSeconds (7200) is ignored: ${DURATION} (1h0m0s) wins`],
  },
  {
    name: 'no disagreement of the two',
    create: { annotations: { [DURATION]: '2h' }, expirationSeconds: 7200 },
    allowed: true,
  },
  ...['True', '1', 'yes', ''].map(value => ({
    name: `request-is-ca of "${value}"`,
    create: { annotations: { [IS_CA]: value } },
    allowed: true as const,
    warnings: [`${IS_CA}: only "true" asks for a CA, "${value}" is ignored`],
  })),
  { name: 'nothing when request-is-ca is "false"', create: { annotations: { [IS_CA]: 'false' } }, allowed: true },
  {
    name: 'a CA without the usage "cert sign"',
    create: { annotations: { [IS_CA]: 'true' } },
    allowed: true,
    warnings: ['a CA without the usage "cert sign" cannot sign certificates'],
  },
  {
    name: 'nothing when a CA has the usage "cert sign"',
    create: { annotations: { [IS_CA]: 'true' }, usages: ['cert sign'] },
    allowed: true,
  },
  {
    name: 'a long condition of the issuer, cut off and in one line',
    world: issuer({ conditions: [{ type: 'Ready', status: 'False', message: `a\n\u0007b${'c'.repeat(300)}` }] }),
    allowed: true,
    warnings: [`Issuer sandbox/ca is not Ready, the request waits (a b${'c'.repeat(201)}…`],
  },
];

export const UPDATES: readonly Case[] = [
  { name: 'nothing of the request', update: { before: {}, after: { isApproved: true } }, allowed: true, calls: [] },
  {
    name: 'another annotation of an approved request',
    update: {
      before: APPROVED_LEAF,
      after: { isApproved: true, annotations: { 'experimental.cert-manager.io/ca': 'x' } },
    },
    allowed: true,
    calls: [],
  },
  {
    name: 'a locked annotation of an approved request',
    update: { before: APPROVED_LEAF, after: APPROVED_CA },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation of an approved request by way of /status',
    update: { before: APPROVED_LEAF, after: APPROVED_CA, subResource: 'status' },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation together with the approval',
    update: { before: {}, after: APPROVED_CA, subResource: 'approval' },
    allowed: locked(IS_CA),
    causes: [`ImmutableAnnotation metadata.annotations[${IS_CA}]`],
    calls: [],
  },
  {
    name: 'a locked annotation that is taken away after the approval',
    update: { before: { ...APPROVED_LEAF, annotations: { [DURATION]: '1h' } }, after: APPROVED_LEAF },
    allowed: locked(DURATION),
    causes: [`ImmutableAnnotation ${DURATION_FIELD}`],
    calls: [],
  },
  {
    name: 'a locked annotation before the approval, without asking for permission again',
    update: { before: {}, after: { annotations: { [DURATION]: '1h' } } },
    allowed: true,
    calls: [READ_SECRET],
  },
  {
    name: 'a locked annotation before the approval to something that is wrong',
    update: { before: {}, after: { annotations: { [DURATION]: 'foo' } } },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: BAD_DURATION },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`],
    calls: [],
  },
  {
    name: "a locked annotation of another signer's approved request",
    update: {
      before: { signerName: 'example.com/x', isApproved: true },
      after: { ...APPROVED_CA, signerName: 'example.com/x' },
    },
    allowed: true,
    calls: [],
  },
];
