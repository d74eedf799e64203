// Building blocks for the cases in this folder: a fake API server and the calls that it received. A case lists the
// request, the cluster, the whole answer, and all calls to the API server, even if there are none.

import assert from 'node:assert/strict';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { ExpectedAnswer } from '../../support/admission-answers.ts';
import { CA, ISSUERS, type Question } from '../../support/admission-reviews.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { type ClusterState, makeKeyPair } from './webhook-fixture.ts';

export const CA_PEM = makeKeyPair('ca', 365).cert;

/** Allows access reviews for these names, and returns `secret` for every Secret. */
export function api(permitted: readonly string[], secret?: unknown): (call: RecordedCall) => unknown {
  return ({ verb, body }) => {
    if (verb === 'get') return typeof secret === 'function' ? secret() : secret;
    const { name } = (body as { spec: { resourceAttributes: { name: string } } }).spec.resourceAttributes;
    return { ...(body as object), status: { allowed: permitted.includes(name) } };
  };
}

export const caSecret = { metadata: { name: 'ca-pair' }, data: { 'tls.crt': Buffer.from(CA_PEM).toString('base64') } };
export const GRANTED: ClusterState = { issuers: ISSUERS, answer: api(['ca', 'self'], caSecret) };
export const REVIEW_CA = 'create SubjectAccessReview reference signers sandbox/ca';
export const REVIEW_STAR = 'create SubjectAccessReview reference signers sandbox/*';
export const READ_SECRET = 'get /api/v1/namespaces/sandbox/secrets/ca-pair';

export interface Case extends Question, ExpectedAnswer {
  readonly name: string;
  readonly cluster?: ClusterState;
  /** The calls to the API server. */
  readonly calls: readonly string[];
}

/** Describes an access review by its attributes, and any other call by its path. */
export function describeCall({ verb, path, body }: RecordedCall): string {
  if (verb !== 'create') return `${verb} ${path}`;
  const { kind, spec } = body as { kind: string; spec: { resourceAttributes: Record<string, string> } };
  const { group, version, resource, verb: asked, namespace, name } = spec.resourceAttributes;
  assert.deepEqual(
    [path, group, version],
    ['/apis/authorization.k8s.io/v1/subjectaccessreviews', 'cert-manager.io', '*'],
  );
  return `create ${kind} ${asked} ${resource} ${namespace}/${name}`;
}

export const failing = (error: () => unknown): ClusterState => ({
  issuers: ISSUERS,
  answer: error,
});
export const network = () => {
  throw new RetryableError('POST https://10.0.0.1: connect ECONNREFUSED', { code: 'network' });
};
/** The first connection breaks, and later ones work. */
export function breakingOnce(answer: (call: RecordedCall) => unknown): (call: RecordedCall) => unknown {
  let isBroken = true;
  return call => {
    if (!isBroken) return answer(call);
    isBroken = false;
    return network();
  };
}
export const NOT_ANSWERED: ExpectedAnswer = {
  allowed: {
    code: 500,
    reason: 'AccessReviewFailed',
    message: 'Cannot verify that the requester may reference Issuer sandbox/ca: the access review failed; try again',
  },
};
export const issuer = (spec: Issuer['spec']): ClusterState => ({
  ...GRANTED,
  issuers: { 'sandbox/ca': { ...CA, spec } },
});
export const secret = (answer: unknown): ClusterState => ({ issuers: ISSUERS, answer: api(['ca', 'self'], answer) });
