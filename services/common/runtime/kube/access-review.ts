// Sends access reviews to the API server (authorization.k8s.io/v1 SubjectAccessReview).

import { ACCESS_REVIEWS, type SubjectAccessReview } from '../../reference-permission.ts';
import { RetryableError } from '../errors.ts';
import type { KubeClient } from './kube-client.ts';

type Client = Pick<KubeClient, 'create'>;

/**
 * Whether one of the reviews is allowed; sends them in order, up to the first that is. Rejects as the client does, and
 * with RetryableError if a review has no result, from which nothing may be concluded.
 */
export async function isAnyAllowed(client: Client, reviews: readonly SubjectAccessReview[]): Promise<boolean> {
  for (const review of reviews) if (await isAllowed(client, review)) return true;
  return false;
}

async function isAllowed(client: Client, review: SubjectAccessReview): Promise<boolean> {
  const { status } = await send(client, review);
  if (typeof status?.allowed === 'boolean') return status.allowed;
  throw new RetryableError('the access review has no result', { code: 'unknown' });
}

/** Sends it twice if the connection broke, as when an API server restarts: a review changes nothing. */
function send(client: Client, review: SubjectAccessReview): Promise<SubjectAccessReview> {
  const ask = () => client.create<SubjectAccessReview>(ACCESS_REVIEWS, review);
  return ask().catch((error: unknown) => {
    if (error instanceof RetryableError && error.code === 'network') return ask();
    throw error;
  });
}
