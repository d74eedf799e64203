// Why nothing can be signed with the spec of a Vault issuer, in cert-manager's words where it has them (Setup and the
// webhook of 1.21). Pure; asks no server.

import {
  type VaultAppRole,
  type VaultAuth,
  type VaultIssuerSpec,
  type VaultKubernetes,
  vaultMethods,
} from './vault-spec.ts';

/** Returns the first fault; undefined for a spec that can be used. */
export function findVaultFault(spec: VaultIssuerSpec): string | undefined {
  return findServerFault(spec) ?? findAuthFault(spec) ?? findTlsFault(spec) ?? findPathFault(spec);
}

function findServerFault({ server, path, namespace = '' }: VaultIssuerSpec): string | undefined {
  if (!server || !path) return 'Vault server and path are required fields';
  if (!/^[\x21-\x7e]*$/.test(namespace)) return 'Vault namespace must be printable ASCII without spaces';
  const url = URL.parse(server);
  return url === null ? NOT_A_URL : findUrlFault(url);
}

const NOT_A_URL = 'Vault server must be an https:// or http:// URL';

function findUrlFault({ protocol, username, password, search, hash }: URL): string | undefined {
  if (protocol !== 'https:' && protocol !== 'http:') return NOT_A_URL;
  if (username + password !== '') return 'Vault server must not contain a user name or a password';
  return search + hash === '' ? undefined : 'Vault server must not have a query or a fragment';
}

function findAuthFault(spec: VaultIssuerSpec): string | undefined {
  const methods = vaultMethods(spec);
  if (methods.length === 0) {
    return 'Vault tokenSecretRef, appRole, clientCertificate, kubernetes, or aws is required';
  }
  if (methods.length > 1) return 'Multiple auth methods cannot be set on the same Vault issuer';
  return spec.auth && findMethodFault(spec.auth);
}

function findMethodFault({ tokenSecretRef: token, appRole, kubernetes, aws }: VaultAuth): string | undefined {
  if (aws !== undefined) return 'Vault AWS auth is left to cert-manager: set the chart value delegation.enabled';
  if (token !== undefined && !token.name) return 'Vault Token auth requires tokenSecretRef.name';
  return (appRole && findAppRoleFault(appRole)) ?? (kubernetes && findKubernetesFault(kubernetes));
}

function findAppRoleFault({ roleId, secretRef }: VaultAppRole): string | undefined {
  if (!roleId || !secretRef?.name) return 'Vault AppRole auth requires both roleId and tokenSecretRef.name';
  return secretRef.key ? undefined : 'Vault AppRole auth requires secretRef.key';
}

function findKubernetesFault({ role, secretRef, serviceAccountRef }: VaultKubernetes): string | undefined {
  if (!role) return 'Vault Kubernetes auth requires a role to be set';
  const hasSecret = Boolean(secretRef?.name);
  if (hasSecret && serviceAccountRef !== undefined) {
    return 'Vault Kubernetes auth cannot be used with both secretRef.name and serviceAccountRef.name';
  }
  if (!hasSecret && !serviceAccountRef?.name) {
    return 'Vault Kubernetes auth requires either secretRef.name or serviceAccountRef.name to be set';
  }
  return undefined;
}

function findTlsFault(spec: VaultIssuerSpec): string | undefined {
  const { caBundle, caBundleSecretRef, clientCertSecretRef, clientKeySecretRef } = spec;
  if (caBundle && caBundleSecretRef) return 'specified caBundle and caBundleSecretRef cannot be used together';
  if (clientCertSecretRef && !clientKeySecretRef) {
    return 'clientKeySecretRef must be provided when defining the clientCertSecretRef';
  }
  if (clientKeySecretRef && !clientCertSecretRef) {
    return 'clientCertSecretRef must be provided when defining the clientKeySecretRef';
  }
  return undefined;
}

function findPathFault({ path, auth = {} }: VaultIssuerSpec): string | undefined {
  const { appRole, clientCertificate, kubernetes } = auth;
  const mounts = [
    ['auth.clientCertificate.mountPath', clientCertificate?.mountPath],
    ['auth.kubernetes.mountPath', kubernetes?.mountPath],
  ] as const;
  const paths = [['path', path], ['auth.appRole.path', appRole?.path], ...mounts] as const;
  const climbing = paths.find(([, text]) => text?.split('/').includes('..'));
  if (climbing) return `Vault ${climbing[0]} must not contain '..' path segments`;
  const relative = mounts.find(([, text]) => text && !text.startsWith('/v1/'));
  return relative && `Vault ${relative[0]} must begin with /v1/, such as /v1/auth/kubernetes`;
}
