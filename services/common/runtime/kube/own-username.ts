// The name under which the API server knows this process, so that it recognizes what it created itself.

import type { KubeClient } from './kube-client.ts';

const PATH = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

interface SelfSubjectReview {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

/** Every authenticated user may ask. Writes nothing. */
export async function readOwnUsername(client: Pick<KubeClient, 'create'>): Promise<string> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const { status } = await client.create<SelfSubjectReview>(PATH, review);
  const username = status?.userInfo?.username;
  if (username === undefined || username === '') throw new Error('the API server does not say who this process is');
  return username;
}

/** Asks once. Rejects until the API server has answered. */
export function rememberOwnUsername(client: Pick<KubeClient, 'create'>): () => Promise<string> {
  let username: string | undefined;
  return async () => {
    username ??= await readOwnUsername(client);
    return username;
  };
}
