// Requests a token of the ServiceAccount that a Vault issuer names (authentication.k8s.io/v1 TokenRequest), with the
// audiences and the lifetime that cert-manager requests. Stores nothing.

import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { VaultFault } from './vault-fault.ts';

/** The minimum of the API server. */
const LIFETIME_SECONDS = 600;

export interface TokenOrder {
  /** Of the ServiceAccount. */
  readonly namespace: string;
  readonly name: string;
  readonly audiences: readonly string[];
}

/** Those of the spec, one that names the issuer, and the server. */
export function audiencesOf({ namespace, name }: SignerRef, own: readonly string[], server: string): readonly string[] {
  return [...own, `vault://${namespace === '' ? '' : `${namespace}/`}${name}`, server];
}

/** Throws a VaultFault if the ServiceAccount or the permission is missing, otherwise the client's errors. */
export async function requestToken(
  client: Pick<KubeClient, 'create'>,
  { namespace, name, audiences }: TokenOrder,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences, expirationSeconds: LIFETIME_SECONDS },
  };
  try {
    const { status } = await client.create<{ readonly status?: { readonly token?: string } }>(path, body);
    return status?.token ?? '';
  } catch (error) {
    throw faultOf(error, `${namespace}/${name}`);
  }
}

function faultOf(error: unknown, account: string): unknown {
  const { code } = asClassifiedError(error);
  const failed = `while requesting a token for the service account ${account}`;
  if (code === 'not-found') return new VaultFault('access', `${failed}: it does not exist; create it`);
  if (code !== 'forbidden') return error;
  const remedy = `grant the signer's ServiceAccount the verb create on serviceaccounts/token for it, by a Role in its namespace (chart value vaultServiceAccounts)`;
  return new VaultFault('access', `${failed}: forbidden; ${remedy}`);
}
