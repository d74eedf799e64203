// Requests that are admitted with a warning. Read by warnings.test.ts.

import {
  REQUEST_DURATION as DURATION,
  REQUEST_IS_CA as IS_CA,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import type { Condition } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
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
  secret('ca-pair', { exists: true, certificateEnds: new Date(NOW.getTime() + days * 86_400_000) });
const waitsForOthers = (type: string) =>
  `Issuer sandbox/ca is of type ${type}, which Countersign does not sign with (only ca and selfSigned); the request waits for another signer`;

/** An issuer or a Secret that the request has to wait for. */
export const WAITING_CASES: readonly UnitCase[] = [
  {
    name: 'a missing issuer',
    known: { issuer: 'missing' },
    allowed: true,
    warnings: ['Issuer sandbox/ca does not exist; the request waits until it is created'],
  },
  {
    name: 'a missing ClusterIssuer',
    create: { signerName: CLUSTER },
    known: { issuer: 'missing' },
    asksPermission: false,
    allowed: true,
    warnings: ['ClusterIssuer ca does not exist; the request waits until it is created'],
  },
  { name: 'nothing while issuers are not known', known: { issuer: 'unknown' }, allowed: true },
  {
    name: 'an issuer that is not Ready, with the reason',
    known: { issuer: NO_KEY_PAIR },
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready; the request waits (ErrGetKeyPair: secrets "x" not found)'],
  },
  {
    name: 'a ClusterIssuer that is not Ready: why stays with those who may use it by permission',
    create: { signerName: CLUSTER },
    known: { issuer: NO_KEY_PAIR },
    asksPermission: false,
    allowed: true,
    warnings: ['ClusterIssuer ca is not Ready; the request waits'],
  },
  {
    name: 'an issuer without a Ready condition',
    known: { issuer: WITHOUT_STATUS },
    allowed: true,
    warnings: ['Issuer sandbox/ca is not Ready; the request waits'],
  },
  {
    name: 'a long condition of the issuer, cut off and in one line',
    known: { issuer: notReady({ message: `a\n\u0007b${'c'.repeat(300)}` }) },
    allowed: true,
    warnings: [`Issuer sandbox/ca is not Ready; the request waits (a b${'c'.repeat(201)}…`],
  },
  {
    name: 'an issuer without a type',
    known: { issuer: { ...CA, spec: {} } },
    allowed: true,
    warnings: ['Issuer sandbox/ca has no type in its spec; the request waits until it has one'],
  },
  ...['acme', 'vault', 'venafi'].map(type => ({
    name: `an issuer of type ${type}, and whether it is Ready does not matter`,
    create: { usages: ['digital signature', 'foo'], annotations: { [KEY_SECRET]: 'my-key' } },
    known: { issuer: ofType(type) },
    allowed: true as const,
    warnings: [waitsForOthers(type)],
  })),
  {
    name: 'a missing Secret of the CA',
    known: secret('ca-pair', { exists: false }),
    allowed: true,
    warnings: ['Secret sandbox/ca-pair does not exist; the request waits until it is created'],
  },
  {
    name: 'a missing Secret with the key for a SelfSigned issuer',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'my-key' } },
    known: secret('my-key', { exists: false }),
    allowed: true,
    warnings: ['Secret sandbox/my-key does not exist; the request waits until it is created'],
  },
  {
    name: 'nothing when the Secret has no readable certificate',
    known: secret('ca-pair', { exists: true }),
    allowed: true,
  },
];

/** What will not be as it looks. */
export const SURPRISE_CASES: readonly UnitCase[] = [
  {
    name: 'a CA that ends before the certificate, with both dates',
    known: caEndsIn(65),
    allowed: true,
    warnings: [
      'the CA certificate in Secret sandbox/ca-pair expires at 2027-01-28T12:00:00Z, before the requested expiry (2027-02-22T12:00:00Z)',
    ],
  },
  { name: 'nothing when both end together', known: caEndsIn(90), allowed: true },
  {
    name: 'a CA that has ended',
    known: caEndsIn(-35),
    allowed: true,
    warnings: ['the CA certificate in Secret sandbox/ca-pair expired at 2026-10-20T12:00:00Z'],
  },
  {
    name: 'nothing of how long the certificate beside the key for a SelfSigned issuer is valid',
    create: { signerName: SELF, annotations: { [KEY_SECRET]: 'ca-pair', [DURATION]: '17520h' } },
    known: caEndsIn(365),
    allowed: true,
  },
  {
    name: 'annotation and expirationSeconds that disagree',
    create: { annotations: { [DURATION]: '1h' }, expirationSeconds: 7200 },
    allowed: true,
    warnings: [`spec.expirationSeconds (7200) is ignored: ${DURATION} (1h0m0s) takes precedence`],
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
    warnings: [`${IS_CA}: only "true" requests a CA certificate; "${value}" is ignored`],
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
];
