// Asks the API server which resources it serves (discovery, meta/v1 APIResourceList).

import { RetryableError } from '../errors.ts';
import type { KubeClient } from './kube-client.ts';

interface ApiResourceList {
  readonly resources?: readonly { readonly name?: string }[];
}

/**
 * Whether the API server serves the collection at `path`, `/apis/<group>/<version>/<resource>`. Rejects as the client
 * does, and with RetryableError for an answer that is not a list of resources.
 */
export async function isResourceServed(
  client: Pick<KubeClient, 'get'>,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  const end = path.lastIndexOf('/');
  const list = await client.get<ApiResourceList>(path.slice(0, end), signal);
  if (list === undefined) return false;
  if (!Array.isArray(list.resources)) {
    throw new RetryableError(`GET ${path.slice(0, end)}: the answer is not a list of resources`, { code: 'server' });
  }
  return list.resources.some(({ name }) => name === path.slice(end + 1));
}
