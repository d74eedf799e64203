// Specs of Vault issuers: what is kept of them, which cannot be used, the paths of the API, and the allow-list of
// servers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBadEntry, isServerAllowed, parseServerList } from '@countersign/common/issuers/server-allow-list.ts';
import { findVaultFault } from '@countersign/common/issuers/vault-faults.ts';
import { loginPath, signPath } from '@countersign/common/issuers/vault-path.ts';
import { isNativeVault, pruneVault, type VaultIssuerSpec } from '@countersign/common/issuers/vault-spec.ts';

const SERVER = 'https://vault.example.com:8200';
const TOKEN = { auth: { tokenSecretRef: { name: 'token' } } };
const VALID: VaultIssuerSpec = { server: SERVER, path: 'pki/sign/web', ...TOKEN };
const kubernetes = (spec: object) => ({ auth: { kubernetes: { role: 'r', secretRef: { name: 's' }, ...spec } } });
const appRole = (spec: object) => ({ auth: { appRole: { roleId: 'r', secretRef: { name: 's', key: 'k' }, ...spec } } });

describe('the spec of a Vault issuer', () => {
  it('the spec of a Vault issuer is kept without unknown fields and without values of another type', () => {
    const spec = {
      ...VALID,
      path: 5,
      extra: 'x',
      caBundleSecretRef: { name: 'ca', key: null },
      auth: {
        tokenSecretRef: null,
        appRole: 'x',
        aws: { role: 'r' },
        kubernetes: { serviceAccountRef: { audiences: ['a', 1] } },
      },
    };
    assert.deepEqual(pruneVault(spec as never), {
      server: SERVER,
      caBundleSecretRef: { name: 'ca' },
      auth: { aws: {}, kubernetes: { serviceAccountRef: { audiences: ['a'] } } },
    });
  });

  it('the spec of a Vault issuer is left to cert-manager if its only auth method is AWS', () => {
    const specs = [VALID, { auth: { aws: {} } }, { auth: { aws: {}, ...TOKEN.auth } }, {}];
    assert.deepEqual(specs.map(isNativeVault), [true, false, true, true]);
  });

  const multiple = { auth: { ...TOKEN.auth, appRole: {} } };
  for (const [what, part, fault] of [
    ['is complete', {}, undefined],
    ['has an AppRole', appRole({}), undefined],
    ['has a Kubernetes role', kubernetes({}), undefined],
    ['has no server', { server: '' }, 'Vault server and path are required fields'],
    ['has no path', { path: '' }, 'Vault server and path are required fields'],
    ['has a server without a scheme', { server: 'vault:8200' }, 'Vault server must be an https:// or http:// URL'],
    ['has a password', { server: 'https://a:b@vault' }, 'Vault server must not contain a user name or a password'],
    ['has a query', { server: 'https://vault?x' }, 'Vault server must not have a query or a fragment'],
    [
      'has a header for a namespace',
      { namespace: 'a\r\nb: c' },
      'Vault namespace must be printable ASCII without spaces',
    ],
    ['has no auth', { auth: {} }, 'Vault tokenSecretRef, appRole, clientCertificate, kubernetes, or aws is required'],
    ['has two methods', multiple, 'Multiple auth methods cannot be set on the same Vault issuer'],
    [
      'has AWS auth',
      { auth: { aws: {} } },
      'Vault AWS auth is left to cert-manager: set the chart value delegation.enabled',
    ],
    ['names no Secret', { auth: { tokenSecretRef: {} } }, 'Vault Token auth requires tokenSecretRef.name'],
    ['has no role ID', appRole({ roleId: '' }), 'Vault AppRole auth requires both roleId and tokenSecretRef.name'],
    ['has no key', appRole({ secretRef: { name: 's' } }), 'Vault AppRole auth requires secretRef.key'],
    ['has no role', kubernetes({ role: '' }), 'Vault Kubernetes auth requires a role to be set'],
    [
      'has two tokens',
      kubernetes({ serviceAccountRef: { name: 'a' } }),
      'Vault Kubernetes auth cannot be used with both secretRef.name and serviceAccountRef.name',
    ],
    [
      'has no token',
      kubernetes({ secretRef: {} }),
      'Vault Kubernetes auth requires either secretRef.name or serviceAccountRef.name to be set',
    ],
    [
      'has two CAs',
      { caBundle: 'x', caBundleSecretRef: { name: 'x' } },
      'specified caBundle and caBundleSecretRef cannot be used together',
    ],
    [
      'has no key for its certificate',
      { clientCertSecretRef: { name: 'x' } },
      'clientKeySecretRef must be provided when defining the clientCertSecretRef',
    ],
    ['climbs', { path: 'pki/../../sys/seal' }, "Vault path must not contain '..' path segments"],
    ['climbs at login', appRole({ path: '..' }), "Vault auth.appRole.path must not contain '..' path segments"],
    [
      'has a relative mount',
      kubernetes({ mountPath: 'auth/kubernetes' }),
      'Vault auth.kubernetes.mountPath must begin with /v1/, such as /v1/auth/kubernetes',
    ],
  ] as const) {
    it(`a spec that ${what} has ${fault === undefined ? 'no fault' : 'its fault'}`, () =>
      assert.equal(findVaultFault({ ...VALID, ...part }), fault));
  }
});

describe('paths of the Vault API', () => {
  for (const [path, expected] of [
    ['pki/sign/web', '/v1/pki/sign/web'],
    ['/pki//./sign/web/', '/v1/pki/sign/web'],
    ['pki/sign/a?b#c%2e%2e', '/v1/pki/sign/a%3Fb%23c%252e%252e'],
  ] as const) {
    it(`${path} signs at ${expected}`, () => assert.equal(signPath({ server: SERVER, path }), expected));
  }

  it('paths of the Vault API are below the path of the server', () =>
    assert.equal(
      signPath({ server: 'https://proxy.example.com/vault/', path: 'pki/sign/web' }),
      '/vault/v1/pki/sign/web',
    ));

  for (const [auth, expected] of [
    [{ tokenSecretRef: {} }, undefined],
    [{ appRole: {} }, '/v1/auth/approle/login'],
    [{ appRole: { path: 'team/roles' } }, '/v1/auth/team/roles/login'],
    [{ kubernetes: {} }, '/v1/auth/kubernetes/login'],
    [{ kubernetes: { mountPath: '/v1/auth/other/' } }, '/v1/auth/other/login'],
    [{ clientCertificate: {} }, '/v1/auth/cert/login'],
  ] as const) {
    it(`${JSON.stringify(auth)} logs in at ${expected}`, () =>
      assert.equal(loginPath({ server: SERVER, auth }), expected));
  }
});

describe('the allow-list of servers', () => {
  for (const [list, server, isAllowed] of [
    ['', 'http://10.0.0.1:1', true],
    ['vault.example.com', 'https://vault.example.com:8200/x', true],
    ['vault.example.com', 'https://VAULT.example.com', true],
    ['vault.example.com', 'https://vault.example.com.evil.org', false],
    ['vault.example.com', 'https://evil.org/vault.example.com', false],
    ['vault.example.com:8200', 'https://vault.example.com', false],
    ['vault.example.com:443', 'https://vault.example.com', true],
    ['*.example.com', 'https://a.b.example.com', true],
    ['*.example.com', 'https://example.com', false],
    ['*.example.com', 'https://evilexample.com', false],
    ['10.0.0.1, [fd00::1]:8200', 'https://[fd00::1]:8200', true],
    ['10.0.0.1', 'http://0x0a000001', true],
    ['10.0.0.1', 'https://10.0.0.10', false],
  ] as const) {
    it(`"${list}" ${isAllowed ? 'allows' : 'does not allow'} ${server}`, () =>
      assert.equal(isServerAllowed(parseServerList(list), server), isAllowed));
  }

  it('the allow-list of servers has only hosts', () => {
    const bad = ['https://vault', 'a b', 'vault:0', 'vault:x', '*', '*.', '10.0.0.0/8', '[::1'];
    assert.deepEqual(
      bad.map(entry => findBadEntry([entry])),
      bad,
    );
    assert.equal(findBadEntry(['vault', '*.example.com:8200', '10.0.0.1:1', '[fd00::1]']), undefined);
  });
});
