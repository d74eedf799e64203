// CREATE requests that are admitted or denied. Used by admit.test.ts.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
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
    name: 'a requester without permission is denied, and the message shows the Role that grants it',
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
    name: 'a missing permission and all other errors are reported in one answer',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['digital signature', 'foo'] },
    known: { permission: 'missing' },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request also has these errors:\n${BAD_DURATION}\n${BAD_USAGES}`,
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
    name: 'a request for another signer is not validated',
    create: { signerName: 'kubernetes.io/kubelet-serving', annotations: { [DURATION]: 'foo' }, request: 'rubbish' },
    known: { permission: 'missing' },
    asksPermission: false,
    allowed: true,
  },
  {
    name: 'a malformed signer name is denied without an access review',
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
    name: 'all errors are reported in one answer',
    create: { signerName: CLUSTER, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    asksPermission: false,
    allowed: { code: 422, reason: 'ErrorParseDuration', message: `${BAD_DURATION}\n${BAD_USAGES}` },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
  },
  {
    name: 'a request for a SelfSigned issuer must name the Secret with its key',
    create: { signerName: SELF },
    ...missingAnnotation,
  },
  {
    name: 'an empty name of the Secret with the key counts as missing',
    create: { signerName: CLUSTER_SELF, annotations: { [KEY_SECRET]: '' } },
    asksPermission: false,
    ...missingAnnotation,
  },
  {
    name: 'a SelfSigned issuer has its own reason for unknown usages',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'key' }, usages: ['foo'] },
    allowed: {
      code: 422,
      reason: 'ErrorGenerating',
      message: /^spec\.usages: .*unknown key usages.* \(ErrorGenerating\)$/,
    },
    causes: ['ErrorGenerating spec.usages'],
  },
  {
    name: 'a SelfSigned issuer has its own reasons for two errors, and all errors are reported in one answer',
    create: { signerName: SELF, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: /unknown key usages[^]*Missing private key/ },
    causes: [
      `ErrorParseDuration ${DURATION_FIELD}`,
      'ErrorGenerating spec.usages',
      `MissingAnnotation ${SECRET_FIELD}`,
    ],
  },
  {
    name: 'an invalid Secret name is denied',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: '../../kube-system/secrets?watch=1' } },
    allowed: {
      code: 422,
      reason: 'InvalidSecretName',
      message: /is not a valid Secret name \(33 characters\)/,
    },
    causes: [`InvalidSecretName ${SECRET_FIELD}`],
  },
  {
    name: 'a key that cannot sign is denied for a SelfSigned issuer, and the message lists the keys that can',
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
    name: 'a key that cannot sign is admitted for a CA issuer',
    create: { request: buildRequest([], P224, nameOf('example')) },
    allowed: true,
  },
  {
    name: 'the rules of an issuer type do not apply while the issuer is unknown',
    create: { signerName: SELF },
    known: { issuer: 'unknown' },
    allowed: true,
  },
  {
    name: 'a request for an issuer type that another signer handles is checked only by the common rules',
    create: { annotations: { [DURATION]: 'foo' }, usages: ['foo'], request: 'rubbish' },
    known: { issuer: withSpec({ venafi: {} }) },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: BAD_DURATION },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`],
  },
  ...[{ ca: { secretName: 'ca-pair' } }, { selfSigned: {} }, { acme: {} }, {}, undefined].map(spec => ({
    name: `the answer to a requester without permission does not depend on the issuer: ${JSON.stringify(spec) ?? 'missing'}`,
    create: { usages: ['foo'] },
    known: { permission: 'missing' as const, issuer: spec === undefined ? ('missing' as const) : withSpec(spec) },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: `${DENIAL}\n\nThe request also has these errors:\n${BAD_USAGES}`,
    },
    causes: ['DeniedReference spec.signerName', 'SigningError spec.usages'],
  })),
  ...['DELETE', 'CONNECT'].map(operation => ({
    name: `${operation} is always allowed`,
    request: { operation, object: null, oldObject: csr() },
    known: { permission: 'missing' as const },
    asksPermission: false,
    allowed: true as const,
  })),
];
