// Requests that are created, admitted or refused. Read by admit.test.ts.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import {
  BAD_DURATION,
  BAD_USAGES,
  DENIAL,
  DENIED,
  DURATION_FIELD,
  type ExpectedAnswer,
  MISSING_ANNOTATION,
  SECRET_FIELD,
} from '../../support/admission-answers.ts';
import { CA, CLUSTER, CLUSTER_SELF, csr, SELF } from '../../support/admission-reviews.ts';
import { nameOf } from '../../support/certificate-builder.ts';
import { buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { UnitCase } from './judgement.ts';

const withSpec = (spec: Issuer['spec']): Issuer => ({ ...CA, spec });
const P224 = readPki('keys/p224');
const missingAnnotation: ExpectedAnswer = {
  allowed: { code: 422, reason: 'MissingAnnotation', message: MISSING_ANNOTATION },
  causes: [`MissingAnnotation ${SECRET_FIELD}`],
};

export const CREATE_CASES: readonly UnitCase[] = [
  { name: 'a permitted requester is admitted', allowed: true },
  {
    name: 'without the permission the refusal shows what would grant it',
    known: { permission: 'missing' },
    ...DENIED,
  },
  {
    name: 'a dry run gets the same answer',
    request: { dryRun: true },
    known: { permission: 'missing' },
    ...DENIED,
  },
  {
    name: 'a missing permission and all other errors are in one answer',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['digital signature', 'foo'] },
    known: { permission: 'missing' },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request is wrong besides:\n${BAD_DURATION}\n${BAD_USAGES}`,
    },
    causes: ['DeniedReference spec.signerName', `ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
  },
  {
    name: 'a ClusterIssuer needs no permission',
    create: { signerName: CLUSTER },
    known: { permission: 'missing' },
    asksPermission: false,
    allowed: true,
  },
  {
    name: 'a request for another signer is not judged',
    create: { signerName: 'kubernetes.io/kubelet-serving', annotations: { [DURATION]: 'foo' }, request: 'rubbish' },
    known: { permission: 'missing' },
    asksPermission: false,
    allowed: true,
  },
  {
    name: 'a signer name that can name no issuer is refused, without asking for permission',
    create: { signerName: 'issuers.cert-manager.io/no-namespace' },
    known: { permission: 'missing' },
    asksPermission: false,
    allowed: {
      code: 422,
      reason: 'InvalidSignerName',
      message: /^spec\.signerName: Signer name .* \(InvalidSignerName\)$/,
    },
    causes: ['InvalidSignerName spec.signerName'],
  },
  {
    name: 'all errors are in one answer',
    create: { signerName: CLUSTER, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    asksPermission: false,
    allowed: { code: 422, reason: 'ErrorParseDuration', message: `${BAD_DURATION}\n${BAD_USAGES}` },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
  },
  {
    name: 'a SelfSigned issuer needs the name of the Secret with the key',
    create: { signerName: SELF },
    ...missingAnnotation,
  },
  {
    name: 'an empty name of that Secret counts as missing',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: '' } },
    asksPermission: false,
    ...missingAnnotation,
  },
  {
    name: 'a SelfSigned issuer has its own reason for a contradiction',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'key' }, usages: ['foo'] },
    allowed: {
      code: 422,
      reason: 'ErrorGenerating',
      message: /^spec\.usages: .*unknown key usages.* \(ErrorGenerating\)$/,
    },
    causes: ['ErrorGenerating spec.usages'],
  },
  {
    name: 'a SelfSigned issuer has reasons of its own for two errors only, and all errors are in one answer',
    create: { signerName: SELF, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: /unknown key usages[^]*Missing private key/ },
    causes: [
      `ErrorParseDuration ${DURATION_FIELD}`,
      'ErrorGenerating spec.usages',
      `MissingAnnotation ${SECRET_FIELD}`,
    ],
  },
  {
    name: 'a name that no Secret can have is refused',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: {
      code: 422,
      reason: 'InvalidSecretName',
      message: /is not a valid Secret name \(33 characters\)/,
    },
    causes: [`InvalidSecretName ${SECRET_FIELD}`],
  },
  {
    name: 'a SelfSigned issuer refuses a key that cannot sign, and says which can',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'key' }, request: buildRequest([], P224) },
    allowed: {
      code: 422,
      reason: 'ErrorSigning',
      message:
        /^spec\.request: Error signing certificate: unknown\/unsupported curve attached to ECDSA signing certificate; create the request with .* P-256, .* \(ErrorSigning\)$/,
    },
    causes: ['ErrorSigning spec.request'],
  },
  {
    name: 'a CA issuer takes the same key',
    create: { request: buildRequest([], P224, nameOf('example')) },
    allowed: true,
  },
  {
    name: 'while issuers are not known, nothing is concluded from them',
    create: { signerName: SELF },
    known: { issuer: 'unknown' },
    allowed: true,
  },
  {
    name: 'an issuer of a type that others sign with is judged only by the rules for every type',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['foo'], request: 'rubbish' },
    known: { issuer: withSpec({ vault: {} }) },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: BAD_DURATION },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`],
  },
  ...[{ ca: { secretName: 'ca-pair' } }, { selfSigned: {} }, { acme: {} }, {}, undefined].map(spec => ({
    name: `without the permission the answer is the same whatever the issuer is: ${JSON.stringify(spec) ?? 'missing'}`,
    create: { usages: ['foo'] },
    known: { permission: 'missing' as const, issuer: spec === undefined ? ('missing' as const) : withSpec(spec) },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request is wrong besides:\n${BAD_USAGES}`,
    },
    causes: ['DeniedReference spec.signerName', 'SigningError spec.usages'],
  })),
  ...['DELETE', 'CONNECT'].map(operation => ({
    name: `${operation} is allowed, whatever it carries`,
    request: { operation, object: null, oldObject: csr() },
    known: { permission: 'missing' as const },
    asksPermission: false,
    allowed: true as const,
  })),
];
