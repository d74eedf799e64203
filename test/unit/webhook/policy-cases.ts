// Requests under operator policies that are stricter than cert-manager. Used by admit.test.ts.

import { REQUEST_DURATION as DURATION } from '@countersign/common/annotations.ts';
import { HOUR } from '@countersign/common/duration.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { CLUSTER_DENIAL, DURATION_FIELD, type ExpectedAnswer } from '../../support/admission-answers.ts';
import { CLUSTER } from '../../support/admission-reviews.ts';
import { pkcs10Of } from '../../support/approval/written-request.ts';
import { NOW, type UnitCase } from './judgement.ts';

const authorizing = { ...PERMISSIVE_POLICY, authorizeClusterIssuers: true };
const atMostAnHour = { ...PERMISSIVE_POLICY, maxDuration: HOUR };
const tooLong = (field: string): ExpectedAnswer => ({
  allowed: {
    code: 422,
    reason: 'InvalidDuration',
    message: `${field}: CertificateSigningRequest maximum allowed duration is 1h0m0s, requested 1h0m1s (InvalidDuration)`,
  },
  causes: [`InvalidDuration ${field}`],
});
const caEndsIn = (hours: number) => ({
  ref: { namespace: 'sandbox', name: 'ca-pair' },
  facts: { exists: true, certificateExpiry: new Date(NOW.getTime() + hours * 3_600_000) },
});

const delegating = { ...PERMISSIVE_POLICY, delegates: true };
const ready = (type: string) => ({
  metadata: { name: 'ca', namespace: 'sandbox' },
  spec: { [type]: {} },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

/** With a common name that is also a DNS name, as ACME requires. */
const NAMED = pkcs10Of({ subject: ['CN=a.example'], names: ['dns:a.example'] });

export const POLICY_CASES: readonly UnitCase[] = [
  ...['acme', 'venafi'].flatMap((type): UnitCase[] => [
    {
      name: `a request for an issuer of type ${type} gets no warning if it is delegated`,
      create: { request: NAMED },
      known: { policy: delegating, issuer: ready(type) },
      allowed: true,
    },
    {
      name: `a malformed request for an issuer of type ${type} is denied if it is delegated`,
      create: { request: NAMED, usages: ['foo'] },
      known: { policy: delegating, issuer: ready(type) },
      allowed: {
        code: 422,
        reason: 'SigningError',
        message: /^spec\.usages: .*unknown key usages.* \(SigningError\)$/,
      },
      causes: ['SigningError spec.usages'],
    },
  ]),
  {
    name: 'a requester with permission for the ClusterIssuer is admitted if that is required',
    create: { signerName: CLUSTER },
    known: { policy: authorizing },
    allowed: true,
  },
  {
    name: 'a requester without permission for the ClusterIssuer is denied, and the message shows the ClusterRole that grants it',
    create: { signerName: CLUSTER },
    known: { policy: authorizing, permission: 'missing' },
    allowed: { code: 403, reason: 'DeniedReference', message: CLUSTER_DENIAL },
    causes: ['DeniedReference spec.signerName'],
  },
  {
    name: 'a duration annotation above the maximum is denied',
    create: { annotations: { [DURATION]: '1h0m1s' } },
    known: { policy: atMostAnHour },
    ...tooLong(DURATION_FIELD),
  },
  {
    name: 'expirationSeconds above the maximum is denied',
    create: { expirationSeconds: 3601 },
    known: { policy: atMostAnHour },
    ...tooLong('spec.expirationSeconds'),
  },
  {
    name: 'the maximum duration itself is admitted',
    create: { annotations: { [DURATION]: '1h' } },
    known: { policy: atMostAnHour },
    allowed: true,
  },
  {
    name: 'a request without a duration gets the maximum, and a CA that lasts as long causes no warning',
    known: { policy: atMostAnHour, secret: caEndsIn(1) },
    allowed: true,
  },
];
