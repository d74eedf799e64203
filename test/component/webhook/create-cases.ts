// Requests that are created, let in or refused. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { nameOf } from '../../support/certificate-builder.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import {
  api,
  BAD_DURATION,
  breakingOnce,
  type Case,
  CLUSTER,
  caSecret,
  DENIAL,
  DURATION_FIELD,
  failing,
  ISSUERS,
  issuer,
  MISSING_ANNOTATION,
  network,
  notAnswered,
  READ_SECRET,
  READY,
  REVIEW_CA,
  REVIEW_STAR,
  SELF,
} from './admission-world.ts';

export const CREATE_CASES: readonly Case[] = [
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
    name: 'an access review that fails twice refuses, and says nothing of the cause',
    world: failing(network),
    allowed: notAnswered,
    calls: [REVIEW_CA, REVIEW_CA],
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
    calls: [],
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
    name: 'a SelfSigned issuer has words of its own for two things alone, and all is told at once',
    create: { signerName: SELF, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: /unknown key usages[^]*Missing private key/ },
    causes: [
      `ErrorParseDuration ${DURATION_FIELD}`,
      'ErrorGenerating spec.usages',
      `MissingAnnotation metadata.annotations[${KEY_SECRET}]`,
    ],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'a name that no Secret can have is refused, and never made part of a path',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: {
      code: 422,
      reason: 'InvalidSecretName',
      message: /has 33 characters that cannot be the name of a Secret/,
    },
    causes: [`InvalidSecretName metadata.annotations[${KEY_SECRET}]`],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'a SelfSigned issuer refuses a key that cannot sign, and says which can',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'key' }, request: buildRequest([], readPki('keys/p224')) },
    allowed: {
      code: 422,
      reason: 'ErrorSigning',
      message:
        /^spec\.request: Error signing certificate: unknown\/unsupported curve attached to ECDSA signing certificate; create the request with .* P-256, .* \(ErrorSigning\)$/,
    },
    causes: ['ErrorSigning spec.request'],
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'a CA issuer takes the same key',
    create: { request: buildRequest([], readPki('keys/p224'), nameOf('example')) },
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'while issuers are not known, nothing is concluded from them',
    create: { signerName: SELF },
    world: { answer: api(['self']) },
    allowed: true,
    calls: ['create SubjectAccessReview reference signers sandbox/self'],
  },
  {
    name: 'an issuer of a type that others sign with is judged by what holds for every type alone',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['foo'], request: 'rubbish' },
    world: issuer(READY, { vault: {} }),
    allowed: { code: 422, reason: 'ErrorParseDuration', message: BAD_DURATION },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`],
    calls: [REVIEW_CA],
  },
  ...[{ ca: { secretName: 'ca-pair' } }, { selfSigned: {} }, { acme: {} }, {}, undefined].map(spec => ({
    name: `without the permission the answer is the same whatever the issuer is: ${JSON.stringify(spec) ?? 'missing'}`,
    create: { usages: ['foo'] },
    world: { ...(spec === undefined ? { issuers: {} } : issuer(READY, spec)), answer: api([]) },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request is wrong besides:\nspec.usages: Error generating certificate template: unknown key usages: [foo] (SigningError)`,
    },
    causes: ['DeniedReference spec.signerName', 'SigningError spec.usages'],
    calls: [REVIEW_CA, REVIEW_STAR],
  })),
];
