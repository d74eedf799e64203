// URL paths of Vault's HTTP API, joined as Go's path.Join does and percent-encoded. Pure; `..` is refused elsewhere
// (vault-faults.ts).

import type { VaultIssuerSpec } from './vault-spec.ts';

/** `/v1/sys/health`, below the path of the server if it has one. */
export function vaultPath(server: string, ...parts: readonly string[]): string {
  const prefix = URL.parse(server)?.pathname ?? '';
  const segments = parts.flatMap(part => part.split('/')).filter(segment => segment !== '' && segment !== '.');
  return `${prefix.replace(/\/+$/, '')}/${segments.map(encodeURIComponent).join('/')}`;
}

/** The path that signs: spec.vault.path below /v1. */
export function signPath({ server = '', path = '' }: VaultIssuerSpec): string {
  return vaultPath(server, 'v1', path);
}

/** The path of the login; undefined for an issuer with a token of its own. */
export function loginPath({ server = '', auth = {} }: VaultIssuerSpec): string | undefined {
  const { appRole, clientCertificate, kubernetes } = auth;
  if (appRole) return vaultPath(server, 'v1/auth', appRole.path || 'approle', 'login');
  if (clientCertificate) return vaultPath(server, clientCertificate.mountPath || '/v1/auth/cert', 'login');
  return kubernetes && vaultPath(server, kubernetes.mountPath || '/v1/auth/kubernetes', 'login');
}
