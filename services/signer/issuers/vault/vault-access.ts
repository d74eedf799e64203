// Reads what is needed to log in to the Vault server of an issuer: the Secrets that its spec names, within the
// namespace of its Secrets. Sends nothing to Vault.

import { hash } from 'node:crypto';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { loginPath } from '@countersign/common/issuers/vault-path.ts';
import type {
  VaultAppRole,
  VaultClientCertificate,
  VaultIssuerSpec,
  VaultKubernetes,
} from '@countersign/common/issuers/vault-spec.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { ObservedSecret } from '../../secret.ts';
import { type SecretDeps, SecretValues } from './secret-values.ts';
import { audiencesOf, type TokenOrder } from './service-account-token.ts';
import type { TlsMaterial } from './vault-servers.ts';

export interface AccessScope {
  readonly ref: SignerRef;
  readonly issuer: Issuer;
  /** Where its Secrets and ServiceAccounts are. */
  readonly namespace: string;
}

export interface VaultLogin {
  readonly path: string;
  /** Without the token of `account`, which is requested for each login. */
  readonly body: Readonly<Record<string, string>>;
  readonly account?: TokenOrder;
  /** Differs from the connection's for a client certificate of its own. */
  readonly tls: TlsMaterial;
}

export interface VaultAccess {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Either a token of the issuer or a login. */
  readonly token?: string;
  readonly login?: VaultLogin;
  /** The Secret with the credentials. */
  readonly secret?: ObservedSecret;
  /** Identifies issuer, settings and credentials: any change gives another one. */
  readonly key: string;
}

/** For a spec without fault. Throws a VaultFault, or the client's errors. */
export async function readAccess(deps: SecretDeps, scope: AccessScope): Promise<VaultAccess> {
  const spec = scope.issuer.spec.vault ?? {};
  const reader = new SecretValues(deps, scope.namespace);
  const tls = await readTls(reader, spec);
  const credentials = await readCredentials(reader, scope, { spec, tls });
  const access = {
    server: spec.server ?? '',
    headers: spec.namespace ? { 'x-vault-namespace': spec.namespace } : {},
    tls,
    ...credentials,
    ...(reader.last && { secret: reader.last }),
  };
  const { secret: _, ...identity } = access;
  return { ...access, key: hash('sha256', JSON.stringify([scope.issuer.metadata.uid, spec.path, identity])) };
}

async function readTls(reader: SecretValues, spec: VaultIssuerSpec): Promise<TlsMaterial> {
  const { caBundle, caBundleSecretRef: ca, clientCertSecretRef: cert, clientKeySecretRef: key, serverName } = spec;
  const caPem = caBundle ? Buffer.from(caBundle, 'base64').toString() : ca && (await reader.read(ca, 'ca.crt'));
  return {
    ca: caPem,
    cert: cert && (await reader.read(cert, 'tls.crt')),
    key: key && (await reader.read(key, 'tls.key')),
    serverName,
  };
}

type Credentials = Pick<VaultAccess, 'token' | 'login'>;

interface Known {
  readonly spec: VaultIssuerSpec;
  readonly tls: TlsMaterial;
}

async function readCredentials(reader: SecretValues, scope: AccessScope, { spec, tls }: Known): Promise<Credentials> {
  const { tokenSecretRef, appRole, clientCertificate, kubernetes = {} } = spec.auth ?? {};
  if (tokenSecretRef) return { token: await reader.readTrimmed(tokenSecretRef) };
  const common = { path: loginPath(spec) ?? '', tls };
  if (appRole) return { login: { ...common, body: await readAppRole(reader, appRole) } };
  if (clientCertificate) return { login: await readCertificateLogin(reader, common, clientCertificate) };
  return { login: { ...common, ...(await readKubernetes(reader, scope, kubernetes)) } };
}

async function readAppRole(
  reader: SecretValues,
  { roleId = '', secretRef = {} }: VaultAppRole,
): Promise<VaultLogin['body']> {
  return { role_id: roleId.trim(), secret_id: await reader.readTrimmed(secretRef) };
}

async function readCertificateLogin(
  reader: SecretValues,
  { path, tls }: Pick<VaultLogin, 'path' | 'tls'>,
  { name: role = '', secretName: name }: VaultClientCertificate,
): Promise<VaultLogin> {
  const login = { path, body: { name: role }, tls };
  if (!name) return login;
  const pair = { cert: await reader.read({ name }, 'tls.crt'), key: await reader.read({ name }, 'tls.key') };
  return { ...login, tls: { ...tls, ...pair } };
}

async function readKubernetes(
  reader: SecretValues,
  { ref, issuer, namespace }: AccessScope,
  { role = '', secretRef, serviceAccountRef: account = {} }: VaultKubernetes,
): Promise<Pick<VaultLogin, 'body' | 'account'>> {
  if (secretRef?.name) return { body: { role, jwt: await reader.readTrimmed(secretRef) } };
  const audiences = audiencesOf(ref, account.audiences ?? [], issuer.spec.vault?.server ?? '');
  return { body: { role }, account: { namespace, name: account.name ?? '', audiences } };
}
