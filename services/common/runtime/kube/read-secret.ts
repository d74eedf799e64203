// Reads one Secret by name, for all who read Secrets that an issuer or a requester names. Caches nothing.

import { isObjectName } from '../../object-name.ts';
import { type Secret, type SecretRef, secretPath } from '../../secret.ts';

/** The part of KubeClient, or of the kubectl plugin's client, that reads. */
interface SecretClient {
  get<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
}

/** Undefined if the Secret does not exist, as one with an impossible name. Throws the client's errors. */
export async function readSecret(
  client: SecretClient,
  ref: SecretRef,
  signal?: AbortSignal,
): Promise<Secret | undefined> {
  // Authors of issuers and requesters choose names: `..` and the like must never become part of a path.
  return isObjectName(ref.name) ? client.get<Secret>(secretPath(ref), signal) : undefined;
}
