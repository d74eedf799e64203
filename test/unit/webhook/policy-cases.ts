// Requests where the operator demands more than cert-manager does. Read by admit.test.ts.

import { REQUEST_DURATION as DURATION } from '@countersign/common/annotations.ts';
import { HOUR } from '@countersign/common/duration.ts';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
import { CLUSTER_DENIAL, DURATION_FIELD, type ExpectedAnswer } from '../../support/admission-answers.ts';
import { CLUSTER } from '../../support/admission-reviews.ts';
import { NOW, type UnitCase } from './judgement.ts';

const authorizing = { ...NO_DEMANDS, authorizeClusterIssuers: true };
const atMostAnHour = { ...NO_DEMANDS, maxDuration: HOUR };
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
  facts: { exists: true, certificateEnds: new Date(NOW.getTime() + hours * 3_600_000) },
});

export const POLICY_CASES: readonly UnitCase[] = [
  {
    name: 'a requester who may reference the ClusterIssuer is admitted where that is demanded',
    create: { signerName: CLUSTER },
    known: { policy: authorizing },
    allowed: true,
  },
  {
    name: 'without it the refusal shows the ClusterRole that would grant it',
    create: { signerName: CLUSTER },
    known: { policy: authorizing, permission: 'missing' },
    allowed: { code: 403, reason: 'DeniedReference', message: CLUSTER_DENIAL },
    causes: ['DeniedReference spec.signerName'],
  },
  {
    name: 'an annotation that asks for more than the maximum is refused',
    create: { annotations: { [DURATION]: '1h0m1s' } },
    known: { policy: atMostAnHour },
    ...tooLong(DURATION_FIELD),
  },
  {
    name: 'expirationSeconds above the maximum are refused',
    create: { expirationSeconds: 3601 },
    known: { policy: atMostAnHour },
    ...tooLong('spec.expirationSeconds'),
  },
  {
    name: 'the maximum itself may be asked for',
    create: { annotations: { [DURATION]: '1h' } },
    known: { policy: atMostAnHour },
    allowed: true,
  },
  {
    name: 'a request without a duration gets the maximum: a CA that lasts as long brings no warning',
    known: { policy: atMostAnHour, secret: caEndsIn(1) },
    allowed: true,
  },
];
