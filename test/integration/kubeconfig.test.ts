// Real-world kubeconfigs in one or several files: the API server sees the same user from the services as from kubectl.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { parse, stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';

interface Review {
  readonly status: { readonly userInfo: { readonly username: string; readonly extra?: Record<string, string[]> } };
}

let controlPlane: ControlPlane;
/** A token of the ServiceAccount default/robot. */
let token = '';
/** The admin's client certificate and key, in kubeconfig format. */
let admin: Record<string, string> = {};
let cluster: Record<string, string> = {};

before(async () => {
  controlPlane = await startControlPlane();
  const { clusters, users } = parse(readFileSync(controlPlane.adminKubeconfig, 'utf8'));
  [cluster, admin] = [clusters[0].cluster, users[0].user];
  const client = createClusterClient({ kubeconfig: controlPlane.adminKubeconfig });
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await client.create(accounts, { metadata: { name: 'robot' } });
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
  token = (await client.create<{ status: { token: string } }>(`${accounts}/robot/token`, request)).status.token;
  await client.close();
});
after(() => controlPlane?.stop());

function write(name: string, content: string | object): string {
  const path = join(controlPlane.dir, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content), { mode: 0o600 });
  return path;
}

/** Writes a kubeconfig for one user in one file. */
function writeWhole(name: string, user: object, extra: object = {}): string {
  return write(name, {
    clusters: [{ name: 'c', cluster: { ...cluster, ...extra } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

async function seenByApiServer(kubeconfig: string) {
  const client = createClusterClient({ kubeconfig });
  try {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    return userOf(await client.create<Review>('/apis/authentication.k8s.io/v1/selfsubjectreviews', review));
  } finally {
    await client.close();
  }
}

async function seenThroughKubectl(kubeconfig: string) {
  const { code, stdout, stderr } = await controlPlane.kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig });
  assert.equal(code, 0, stderr);
  return userOf(JSON.parse(stdout));
}

/** Omits the credential id, which differs per connection. */
function userOf({ status: { userInfo } }: Review) {
  const { 'authentication.kubernetes.io/credential-id': _, ...extra } = userInfo.extra ?? {};
  return { ...userInfo, extra };
}

const ROBOT = 'system:serviceaccount:default:robot';
const JANE = {
  as: 'jane',
  'as-groups': ['dev', 'ops'],
  'as-uid': '42',
  'as-user-extra': { 'example.com/some scopes': ['a', 'b'], reason: ['test'] },
};

const CASES: Readonly<Record<string, { readonly kubeconfig: () => string; readonly username: string }>> = {
  'a token file': {
    kubeconfig: () => (write('token', `${token}\n`), writeWhole('token-file', { tokenFile: 'token' })),
    username: ROBOT,
  },
  'a token file and an invalid token': {
    kubeconfig: () => writeWhole('both', { token: 'wrong', tokenFile: 'token' }),
    username: ROBOT,
  },
  'an exec plugin next to the kubeconfig': {
    kubeconfig: () => {
      const answer = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } };
      chmodSync(write('plugin', `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`), 0o700);
      const exec = { apiVersion: answer.apiVersion, command: './plugin', interactiveMode: 'Never' };
      return writeWhole('exec', { exec });
    },
    username: ROBOT,
  },
  'impersonation of a user, groups, uid and extra': {
    kubeconfig: () => writeWhole('impersonating', { ...admin, ...JANE }),
    username: 'jane',
  },
  'a TLS server name': {
    kubeconfig: () => writeWhole('server-name', admin, { 'tls-server-name': 'kubernetes.default.svc' }),
    username: 'admin',
  },
  'parts in three files, and a missing file': {
    kubeconfig: () => {
      const first = write('first', { clusters: [{ name: 'c', cluster }] });
      const second = write('second', { users: [{ name: 'u', user: { tokenFile: 'token' } }] });
      const context = { name: 'x', context: { cluster: 'c', user: 'u' } };
      const third = write('third', { contexts: [context], 'current-context': 'x' });
      return [join(controlPlane.dir, 'none'), first, second, third].join(':');
    },
    username: ROBOT,
  },
  'the same names in two files, of which the first wins': {
    kubeconfig: () =>
      [
        writeWhole('winner', { ...admin, as: 'winner' }),
        writeWhole('loser', { ...admin, as: 'loser', 'as-groups': ['losers'] }),
      ].join(':'),
    username: 'winner',
  },
};

describe('kubeconfig', () => {
  for (const [what, { kubeconfig, username }] of Object.entries(CASES)) {
    test(`the API server sees the same user from a service as from kubectl with ${what}`, async () => {
      const path = kubeconfig();
      const seen = await seenByApiServer(path);
      assert.equal(seen.username, username);
      assert.deepEqual(seen, await seenThroughKubectl(path));
    });
  }
});
