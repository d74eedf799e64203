// Sets up an OpenBao server as an administrator would: a secrets engine with a root CA, roles, policies, and the ways
// to log in that Vault issuers know.

import type { OpenBao } from './openbao.ts';

const DAY = '24h';

/** The role `any` signs everything, `narrow` only names below example.com. `root` is about the root CA's key. */
export async function setUpPki(bao: OpenBao, headers: Record<string, string> = {}, root: object = {}): Promise<void> {
  const call = (method: string, path: string, body?: object) => bao.call(method, path, body, headers);
  await call('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  await call('POST', 'pki/root/generate/internal', { common_name: 'bao root', ttl: '87600h', ...root });
  const any = {
    key_type: 'any',
    allow_any_name: true,
    enforce_hostnames: false,
    allowed_uri_sans: ['*'],
    max_ttl: '2160h',
  };
  await call('POST', 'pki/roles/any', { ...any, require_cn: false, server_flag: false, client_flag: false });
  await call('POST', 'pki/roles/narrow', {
    key_type: 'any',
    allowed_domains: ['example.com'],
    allow_subdomains: true,
    require_cn: false,
  });
  const drops = { organization: ['Added'], max_ttl: '1h' };
  await call('POST', 'pki/roles/drops', {
    ...any,
    require_cn: false,
    server_flag: false,
    client_flag: false,
    ...drops,
  });
  await call('PUT', 'sys/policies/acl/signs', { policy: 'path "pki/sign/*" { capabilities = ["update"] }' });
}

export async function createToken(
  bao: OpenBao,
  order: object = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const body = { policies: ['signs'], ttl: DAY, no_parent: true, ...order };
  return (await bao.call('POST', 'auth/token/create', body, headers)).body.auth.client_token;
}

export interface AppRole {
  readonly roleId: string;
  readonly secretId: string;
}

export async function setUpAppRole(bao: OpenBao, settings: object = {}): Promise<AppRole> {
  await bao.tryCall('POST', 'sys/auth/approle', { type: 'approle' });
  await bao.call('POST', 'auth/approle/role/signer', { token_policies: ['signs'], token_ttl: '20m', ...settings });
  const roleId = (await bao.call('GET', 'auth/approle/role/signer/role-id')).body.data.role_id;
  const secretId = (await bao.call('POST', 'auth/approle/role/signer/secret-id')).body.data.secret_id;
  return { roleId, secretId };
}

/** Lets holders of client certificates of the CA log in. */
export async function setUpCertAuth(bao: OpenBao, caPem: string): Promise<void> {
  await bao.call('POST', 'sys/auth/cert', { type: 'cert' });
  await bao.call('POST', 'auth/cert/certs/signer', { certificate: caPem, token_policies: ['signs'] });
}

export interface KubernetesApi {
  readonly url: string;
  readonly caPem: string;
  /** A token that may create TokenReviews. */
  readonly reviewer: string;
}

/** The role `signer` is for the ServiceAccount, with the audience. */
export async function setUpKubernetesAuth(
  bao: OpenBao,
  { url, caPem, reviewer }: KubernetesApi,
  account: { readonly namespace: string; readonly name: string; readonly audience: string },
): Promise<void> {
  await bao.call('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
  const config = { kubernetes_host: url, kubernetes_ca_cert: caPem, token_reviewer_jwt: reviewer };
  await bao.call('POST', 'auth/kubernetes/config', { ...config, disable_local_ca_jwt: true });
  await bao.call('POST', 'auth/kubernetes/role/signer', {
    bound_service_account_names: [account.name],
    bound_service_account_namespaces: [account.namespace],
    audience: account.audience,
    token_policies: ['signs'],
  });
}
