// What the cases of this folder are made of: issuers, an API server that answers, and the texts that come back. A case states
// the request, the world, the whole answer, and every call to the API server, the empty list included.

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

export const READY = { conditions: [{ type: 'Ready', status: 'True', reason: 'KeyPairVerified' }] };
export const CA: Issuer = {
  metadata: { name: 'ca', namespace: 'sandbox' },
  spec: { ca: { secretName: 'ca-pair' } },
  status: READY,
};
export const SELF_SIGNED: Issuer = { metadata: { name: 'self' }, spec: { selfSigned: {} }, status: READY };
export const ISSUERS = { 'sandbox/ca': CA, '/ca': CA, 'sandbox/self': SELF_SIGNED, '/self': SELF_SIGNED };
export const CLUSTER = 'clusterissuers.cert-manager.io/ca';
export const SELF = 'issuers.cert-manager.io/sandbox.self';
export const CA_PEM = makeKeyPair('ca', 365).cert;

/** Answers access reviews for these names with yes, and Secrets with the given certificate. */
export function api(permitted: readonly string[], secret?: unknown): (call: RecordedCall) => unknown {
  return ({ verb, body }) => {
    if (verb === 'get') return typeof secret === 'function' ? secret() : secret;
    const { name } = (body as { spec: { resourceAttributes: { name: string } } }).spec.resourceAttributes;
    return { ...(body as object), status: { allowed: permitted.includes(name) } };
  };
}

export const caSecret = { metadata: { name: 'ca-pair' }, data: { 'tls.crt': Buffer.from(CA_PEM).toString('base64') } };
export const GRANTED: World = { issuers: ISSUERS, answer: api(['ca', 'self'], caSecret) };
export const REVIEW_CA = 'create SubjectAccessReview reference signers sandbox/ca';
export const REVIEW_STAR = 'create SubjectAccessReview reference signers sandbox/*';
export const READ_SECRET = 'get /api/v1/namespaces/sandbox/secrets/ca-pair';
export const READ_CLUSTER_SECRET = 'get /api/v1/namespaces/countersign/secrets/ca-pair';
export const DENIAL = denialText({ kind: 'Issuer', namespace: 'sandbox', name: 'ca' }, 'jane').trimEnd();
export const DURATION_FIELD = `metadata.annotations[${DURATION}]`;
export const BAD_DURATION = `${DURATION_FIELD}: Failed to parse requested duration: failed to parse requested duration on annotation "${DURATION}": time: invalid duration "foo" (ErrorParseDuration)`;
export const MISSING_ANNOTATION = `metadata.annotations[${KEY_SECRET}]: Missing private key reference annotation: "${KEY_SECRET}" (MissingAnnotation)`;

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
  answer: error,
});
export const network = () => {
  throw new RetryableError('POST https://10.0.0.1: connect ECONNREFUSED', { code: 'network' });
};
/** A connection that broke, and then one that holds. */
export function breakingOnce(answer: (call: RecordedCall) => unknown): (call: RecordedCall) => unknown {
  let isBroken = true;
  return call => {
    if (!isBroken) return answer(call);
    isBroken = false;
    return network();
  };
}
export const notAnswered = {
  code: 500,
  reason: 'AccessReviewFailed',
  message: 'Could not check whether the requester may reference Issuer sandbox/ca; try again',
};
export const issuer = (status: unknown, spec: unknown = { ca: { secretName: 'ca-pair' } }): World => ({
  ...GRANTED,
  issuers: { 'sandbox/ca': { metadata: { name: 'ca' }, spec, status } as Issuer },
});
export const clusterIssuer = (status: unknown): World => ({
  ...GRANTED,
  issuers: { '/ca': { metadata: { name: 'ca' }, spec: { ca: { secretName: 'ca-pair' } }, status } as Issuer },
});
export const secret = (answer: unknown): World => ({ issuers: ISSUERS, answer: api(['ca', 'self'], answer) });
export const locked = (key: string) => ({
  code: 422,
  reason: 'ImmutableAnnotation',
  message: `metadata.annotations[${key}]: Annotation "${key}" is part of the request and cannot be changed; delete the CSR and create a new one instead (ImmutableAnnotation)`,
});
export const APPROVED_LEAF = { isApproved: true };
export const APPROVED_CA = { isApproved: true, annotations: { [IS_CA]: 'true' } };
