// Requests that are admitted with a warning. Used by warnings.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Condition } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { SecretFacts } from '@countersign/webhook/secret-facts.ts';
import { CA, CLUSTER, SELF } from '../../support/admission-reviews.ts';
import { type Known, NOW, type UnitCase } from './judgement.ts';

const { status: _, ...WITHOUT_STATUS } = CA;
const notReady = (condition: Pick<Condition, 'reason' | 'message'>): Issuer => ({
  ...CA,
  status: { conditions: [{ type: 'Ready', status: 'False', ...condition }] },
});
const NO_KEY_PAIR = notReady({ reason: 'ErrGetKeyPair', message: 'secrets "x" not found' });
const ofType = (type: string): Issuer => ({ ...WITHOUT_STATUS, spec: { [type]: {} } });
const secret = (name: string, facts: SecretFacts): Known => ({
  secret: { ref: { namespace: 'sandbox', name }, facts },
});
const caEndsIn = (days: number): Known =>
  secret('ca-pair', { exists: true, certificateExpiry: new Date(NOW.getTime() + days * 86_400_000) });
const waitsForOthers = (type: string) =>
  `Issuer sandbox/ca is of type ${type}, which Countersign does not sign with (only ca, vault, selfSigned); the request waits for another signer`;

/** The request has to wait for an issuer or a Secret. */
export const WAITING_CASES: readonly UnitCase[] = [
  {
    name: 'a missing Issuer gets a warning',
    known: { issuer: 'missing' },
    allowed: true,
    warnings: ['Issuer sandbox/ca does not exist; the request waits until it is created'],
  },
  {
    name: 'a missing ClusterIssuer gets a warning',
    create: { signerName: CLUSTER },
    known: { issuer: 'missing' },
    asksPermission: false,
    allowed: true,
    warnings: ['ClusterIssuer ca does not exist; the request waits until it is created'],
  },
  { name: 'an unknown issuer gets no warning', known: { issuer: 'unknown' }, allowed: true },
  {
    name: 'an Issuer that is not Ready gets a warning with the reason',
    known: { issuer: NO_KEY_PAIR },
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready; the request waits (ErrGetKeyPair: secrets "x" not found)'],
  },
  {
    name: 'a ClusterIssuer that is not Ready gets a warning without the reason if no permission was reviewed',
    create: { signerName: CLUSTER },
    known: { issuer: NO_KEY_PAIR },
    asksPermission: false,
    allowed: true,
    warnings: ['ClusterIssuer ca is not Ready; the request waits'],
  },
  {
    name: 'an issuer without a Ready condition gets a warning',
    known: { issuer: WITHOUT_STATUS },
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready; the request waits'],
  },
  {
    name: 'a long condition of the issuer is truncated and put on one line',
    known: { issuer: notReady({ message: `a\n\u0007b${'c'.repeat(300)}` }) },
    allowed: true,
    warnings: [`Issuer sandbox/ca is not Ready; the request waits (a b${'c'.repeat(201)}…`],
  },
  {
    name: 'an issuer without a type gets a warning',
    known: { issuer: { ...CA, spec: {} } },
    allowed: true,
    warnings: ['Issuer sandbox/ca has no type in its spec; the request waits until it has one'],
  },
  ...['acme', 'venafi'].map(type => ({
    name: `an issuer of type ${type} gets a warning whether or not it is Ready`,
    create: { usages: ['digital signature', 'foo'], annotations: { [KEY_SECRET]: 'my-key' } },
    known: { issuer: ofType(type) },
    allowed: true as const,
    warnings: [waitsForOthers(type)],
  })),
  {
    name: 'a missing Secret of the CA gets a warning',
    known: secret('ca-pair', { exists: false }),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist; the request waits until it is created'],
  },
  {
    name: 'a missing Secret with the key for a SelfSigned issuer gets a warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    known: secret('my-key', { exists: false }),
    allowed: true,
    warnings: ['Secret sandbox/my-key does not exist; the request waits until it is created'],
  },
  {
    name: 'a Secret without a readable certificate gets no warning',
    known: secret('ca-pair', { exists: true }),
    allowed: true,
  },
];

/** The result may not be what the requester expects. */
export const MISMATCH_CASES: readonly UnitCase[] = [
  {
    name: 'a CA that expires before the certificate gets a warning with both dates',
    known: caEndsIn(65),
    allowed: true,
    warnings: [
      'the CA certificate in Secret sandbox/ca-pair expires at 2027-01-28T12:00:00Z, before the requested expiry (2027-02-22T12:00:00Z)',
    ],
  },
  { name: 'a CA that expires together with the certificate gets no warning', known: caEndsIn(90), allowed: true },
  {
    name: 'an expired CA gets a warning',
    known: caEndsIn(-35),
    allowed: true,
    warnings: ['the CA certificate in Secret sandbox/ca-pair expired at 2026-10-20T12:00:00Z'],
  },
  {
    name: 'the expiry of a certificate next to the key for a SelfSigned issuer gets no warning',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'ca-pair', [DURATION]: '17520h' } },
    known: caEndsIn(365),
    allowed: true,
  },
  {
    name: 'a duration annotation that contradicts expirationSeconds gets a warning',
    create: { annotations: { [DURATION]: '1h' }, expirationSeconds: 7200 },
    allowed: true,
    warnings: [`spec.expirationSeconds (7200) is ignored: ${DURATION} (1h0m0s) takes precedence`],
  },
  {
    name: 'a duration annotation that equals expirationSeconds gets no warning',
    create: { annotations: { [DURATION]: '2h' }, expirationSeconds: 7200 },
    allowed: true,
  },
  ...['True', '1', 'yes', ''].map(value => ({
    name: `the value "${value}" of request-is-ca gets a warning`,
    create: { annotations: { [IS_CA]: value } },
    allowed: true as const,
    warnings: [`${IS_CA}: only "true" requests a CA certificate; "${value}" is ignored`],
  })),
  {
    name: 'the value "false" of request-is-ca gets no warning',
    create: { annotations: { [IS_CA]: 'false' } },
    allowed: true,
  },
  {
    name: 'a CA without the usage "cert sign" gets a warning',
    create: { annotations: { [IS_CA]: 'true' } },
    allowed: true,
    warnings: ['a CA without the usage "cert sign" cannot sign certificates'],
  },
  {
    name: 'a CA with the usage "cert sign" gets no warning',
    create: { annotations: { [IS_CA]: 'true' }, usages: ['cert sign'] },
    allowed: true,
  },
];
