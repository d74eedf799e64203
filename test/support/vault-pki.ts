// Sets up an OpenBao server as an administrator would: a secrets engine with a root CA, roles, policies, and the ways to
// log in that Vault issuers know.

import type { OpenBao } from './openbao.ts';

const DAY = '24h';

/** The role `any` signs everything, `narrow` only names below example.com. */
export async function setUpPki(bao: OpenBao, headers: Record<string, string> = {}): Promise<void> {
  const call = (method: string, path: string, body?: object) => bao.call(method, path, body, headers);
  await call('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  await call('POST', 'pki/root/generate/internal', { common_name: 'bao root', ttl: '87600h' });
  const any = { allow_any_name: true, enforce_hostnames: false, allowed_uri_sans: ['*'], max_ttl: '2160h' };
  await call('POST', 'pki/roles/any', { ...any, require_cn: false, server_flag: false, client_flag: false });
  await call('POST', 'pki/roles/narrow', {
    allowed_domains: ['example.com'],
    allow_subdomains: true,
    require_cn: false,
  });
  await call('POST', 'pki/roles/short', { ...any, require_cn: false, max_ttl: '1h' });
  // Takes the names from the fields beside the PKCS#10 request, and from those only the DNS names.
  await call('POST', 'pki/roles/drops', {
    ...any,
    require_cn: false,
    organization: ['Added'],
    use_csr_sans: true,
    allowed_uri_sans: [],
  });
  await call('PUT', 'sys/policies/acl/signs', { policy: 'path "pki/sign/*" { capabilities = ["update"] }' });
}

export async function createToken(bao: OpenBao, order: object = {}): Promise<string> {
  const { body } = await bao.call('POST', 'auth/token/create', {
    policies: ['signs'],
    ttl: DAY,
    no_parent: true,
    ...order,
  });
  return body.auth.client_token;
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
