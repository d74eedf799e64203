// Requests that are let in although something is amiss, and what the requester is told. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import {
  api,
  type Case,
  CLUSTER,
  clusterIssuer,
  issuer,
  READ_SECRET,
  READY,
  REVIEW_CA,
  SELF,
  secret,
} from './admission-world.ts';

export const SOFT_CASES: readonly Case[] = [
  {
    name: 'a missing issuer is a warning',
    world: { issuers: {}, answer: api(['ca']) },
    allowed: true,
    warnings: ['Issuer sandbox/ca does not exist: the request waits for it'],
    calls: [REVIEW_CA],
  },
  {
    name: 'so is a missing ClusterIssuer',
    create: { signerName: CLUSTER },
    world: { issuers: {} },
    allowed: true,
    warnings: ['ClusterIssuer ca does not exist: the request waits for it'],
    calls: [],
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
  ...['acme', 'vault', 'venafi'].map(type => ({
    name: `an issuer of type ${type} is a warning, and whether it is Ready does not matter`,
    create: { usages: ['digital signature', 'foo'], annotations: { [KEY_SECRET]: 'my-key' } },
    world: issuer(undefined, { [type]: {} }),
    allowed: true as const,
    warnings: [
      `Issuer sandbox/ca is of type ${type}: Countersign signs with ca and selfSigned only, the request waits for another signer`,
    ],
    calls: [REVIEW_CA],
  })),
  {
    name: 'a missing Secret of the CA is a warning',
    world: secret(undefined),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist: the request waits for it'],
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'the Secret of a ClusterIssuer is not looked for: no permission was asked for',
    create: { signerName: CLUSTER },
    world: secret(undefined),
    allowed: true,
    calls: [],
  },
  {
    name: 'why a ClusterIssuer is not Ready stays with those who may use it by permission',
    create: { signerName: CLUSTER },
    world: clusterIssuer({
      conditions: [{ type: 'Ready', status: 'False', reason: 'ErrGetKeyPair', message: 'secrets "x" not found' }],
    }),
    allowed: true,
    warnings: ['ClusterIssuer ca is not Ready, the request waits'],
    calls: [],
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
    name: 'a certificate beside the key for a SelfSigned issuer says nothing of how long the new one is valid',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'ca-pair', [DURATION]: '17520h' } },
    allowed: true,
    calls: ['create SubjectAccessReview reference signers sandbox/self', READ_SECRET],
  },
  {
    name: 'a Secret that a request names in the cluster resource namespace is not looked for',
    create: { signerName: 'clusterissuers.cert-manager.io/self', annotations: { [KEY_SECRET]: 'my-key' } },
    world: secret(undefined),
    allowed: true,
    calls: [],
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
export const WARNED_OF: readonly Case[] = [
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
    name: 'a certificate that strict clients reject (all cases: strict-clients.test.ts)',
    create: { usages: ['cert sign'] },
    allowed: true,
    warnings: [
      `strict clients reject a certificate with the usage "cert sign" that is no CA: set ${IS_CA} to "true", or leave the usage out`,
    ],
  },
  {
    name: 'nothing of that kind when others sign',
    create: { usages: ['cert sign'] },
    world: issuer(undefined, { vault: {} }),
    allowed: true,
    warnings: [
      'Issuer sandbox/ca is of type vault: Countersign signs with ca and selfSigned only, the request waits for another signer',
    ],
  },
  {
    name: 'a long condition of the issuer, cut off and in one line',
    world: issuer({ conditions: [{ type: 'Ready', status: 'False', message: `a\n\u0007b${'c'.repeat(300)}` }] }),
    allowed: true,
    warnings: [`Issuer sandbox/ca is not Ready, the request waits (a b${'c'.repeat(201)}…`],
  },
];
