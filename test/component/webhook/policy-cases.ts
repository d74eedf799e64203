// Requests where the operator demands more than cert-manager does. Read by admissions.test.ts.

import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { HOUR } from '@countersign/common/duration.ts';
import { denialText } from '@countersign/common/reference-permission.ts';
import { NO_DEMANDS } from '@countersign/common/request-policy.ts';
import {
  api,
  type Case,
  CLUSTER,
  caSecret,
  DURATION_FIELD,
  GRANTED,
  ISSUERS,
  READ_CLUSTER_SECRET,
  READ_SECRET,
  REVIEW_CA,
} from './admission-world.ts';

const ASKED = 'create SubjectAccessReview reference clusterissuers /ca';
const ASKED_STAR = 'create SubjectAccessReview reference clusterissuers /*';

const authorizing = { ...NO_DEMANDS, authorizeClusterIssuers: true };
const atMostAnHour = { ...NO_DEMANDS, maxDuration: HOUR };
const tooLong = 'CertificateSigningRequest maximum allowed duration is 1h0m0s, requested';

export const POLICY_CASES: readonly Case[] = [
  {
    name: 'whoever may reference the ClusterIssuer is let in where that is demanded',
    create: { signerName: CLUSTER },
    world: { ...GRANTED, policy: authorizing },
    allowed: true,
    calls: [ASKED, READ_CLUSTER_SECRET],
  },
  {
    name: 'the permission for the name * counts for ClusterIssuers, too',
    create: { signerName: CLUSTER },
    world: { issuers: ISSUERS, answer: api(['*'], caSecret), policy: authorizing },
    allowed: true,
    calls: [ASKED, ASKED_STAR, READ_CLUSTER_SECRET],
  },
  {
    name: 'the permission is none to ask which Secrets are in the cluster resource namespace',
    create: { signerName: 'clusterissuers.cert-manager.io/self', annotations: { [KEY_SECRET]: 'my-key' } },
    world: { issuers: ISSUERS, answer: api(['self']), policy: authorizing },
    allowed: true,
    calls: ['create SubjectAccessReview reference clusterissuers /self'],
  },
  {
    name: 'without it the refusal shows the ClusterRole that would grant it',
    create: { signerName: CLUSTER },
    world: { issuers: ISSUERS, answer: api([]), policy: authorizing },
    allowed: {
      code: 403,
      reason: 'DeniedReference',
      message: denialText({ kind: 'ClusterIssuer', namespace: '', name: 'ca' }, 'jane').trimEnd(),
    },
    causes: ['DeniedReference spec.signerName'],
    calls: [ASKED, ASKED_STAR],
  },
  {
    name: 'an annotation that asks for more than the maximum is refused',
    create: { annotations: { [DURATION]: '1h0m1s' } },
    world: { ...GRANTED, policy: atMostAnHour },
    allowed: {
      code: 422,
      reason: 'InvalidDuration',
      message: `${DURATION_FIELD}: ${tooLong} 1h0m1s (InvalidDuration)`,
    },
    causes: [`InvalidDuration ${DURATION_FIELD}`],
    calls: [REVIEW_CA],
  },
  {
    name: 'expirationSeconds above the maximum are refused',
    create: { expirationSeconds: 3601 },
    world: { ...GRANTED, policy: atMostAnHour },
    allowed: {
      code: 422,
      reason: 'InvalidDuration',
      message: `spec.expirationSeconds: ${tooLong} 1h0m1s (InvalidDuration)`,
    },
    causes: ['InvalidDuration spec.expirationSeconds'],
    calls: [REVIEW_CA],
  },
  {
    name: 'the maximum itself may be asked for',
    create: { annotations: { [DURATION]: '1h' } },
    world: { ...GRANTED, policy: atMostAnHour },
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
  {
    name: 'who asks for no duration is let in, and gets the maximum: a CA that lasts as long brings no warning',
    world: { ...GRANTED, now: new Date(Date.now() + 300 * 86_400_000), policy: atMostAnHour },
    allowed: true,
    calls: [REVIEW_CA, READ_SECRET],
  },
];
