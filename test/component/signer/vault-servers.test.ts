// A Vault issuer whose owner points it at a server that is not Vault: endless, huge or meaningless bodies, redirects,
// and answers for other requests. A small HTTP server plays it; nothing it says is repeated, and no credentials leak.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { VaultIssuerSpec } from '@countersign/common/issuers/vault-spec.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import type { RemoteAnswer } from '@countersign/signer/issuers/issuer-type.ts';
import { createVaultIssuer } from '@countersign/signer/issuers/vault/vault.ts';
import { VaultMetrics } from '@countersign/signer/issuers/vault/vault-metrics.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { valueOf } from '../../support/pki.ts';
import { RecordingClient } from '../../support/recording-client.ts';

const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'my-ca' } as const;
const TOKEN = { auth: { tokenSecretRef: { name: 'token' } } };

interface Seen {
  readonly path: string;
  readonly token: string;
  readonly body: string;
}

type Play = (request: IncomingMessage, response: ServerResponse) => void;

async function startServer(t: TestContext, play: Play) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const token = String(request.headers['x-vault-token'] ?? '');
    let body = '';
    request.setEncoding('utf8').on('data', chunk => (body += chunk));
    request.on('end', () => {
      seen.push({ path: request.url ?? '', token, body });
      play(request, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** A Vault issuer whose only Secret has the value `s.secret` for every key that is asked for. */
function createIssuer(spec: VaultIssuerSpec) {
  const client = new RecordingClient(() => undefined);
  const registry = createRegistry();
  const value = Buffer.from('s.secret').toString('base64');
  const secret = { metadata: { name: 'token', uid: 'u', resourceVersion: '1' }, data: { token: value, id: value } };
  const handler = createVaultIssuer({
    client,
    secrets: { read: async () => secret },
    clusterResourceNamespace: 'countersign',
    metrics: new VaultMetrics(registry),
    allowedServers: [],
  });
  const issuer = buildIssuer({ vault: { path: 'pki/sign/web', ...TOKEN, ...spec } });
  const requested = toRequestedCertificate(buildCsr(), AS_CERT_MANAGER, { type: 'vault' });
  const decision = () =>
    handler.decide({ requested, ref: REF, issuer, policy: AS_CERT_MANAGER }, undefined, new Date());
  return {
    requested: valueOf(requested),
    async sign(): Promise<RemoteAnswer> {
      const decided = decision();
      if (decided.kind !== 'issue' || decided.issuance.kind !== 'remote') return assert.fail(JSON.stringify(decided));
      return decided.issuance.submit(AbortSignal.timeout(20_000));
    },
    counts: () => readCounts(registry),
    readiness: async () => handler.readiness({ ref: REF, issuer, material: undefined }),
  };
}

/** Calls by purpose and result. */
async function readCounts(registry: ReturnType<typeof createRegistry>): Promise<Record<string, number>> {
  const pattern = /^countersign_vault_request_duration_seconds_count\{purpose="(\w+)",result="(\w+)"\} (\d+)$/gm;
  const found = [...(await registry.metrics()).matchAll(pattern)];
  return Object.fromEntries(found.map(([, purpose, result, count]) => [`${purpose} ${result}`, Number(count)]));
}

function textOf(answer: RemoteAnswer): string {
  return answer.kind === 'issued' ? 'issued' : `${answer.kind} ${answer.reason}: ${answer.message}`;
}

describe('a server that is not Vault', () => {
  const unavailable = 'wait VaultUnavailable: Vault cannot sign at the moment, the request is repeated: ';
  const cases: readonly (readonly [string, Play, string])[] = [
    [
      'with a huge body',
      (_, response) => {
        response.on('error', () => undefined);
        for (let left = 100; left > 0; left -= 1) response.write('x'.repeat(65_536));
        response.end();
      },
      `${unavailable}the answer of the Vault server is too large`,
    ],
    [
      'with meaningless text',
      (_, response) => response.writeHead(200).end('internal-secret'),
      `${unavailable}the answer of Vault has no certificate`,
    ],
    [
      'with an error page',
      (_, response) => response.writeHead(500).end('<html>internal-secret</html>'),
      `${unavailable}the Vault server returned an HTTP 500 response which is not a Vault error response`,
    ],
    [
      'that resets the connection',
      request => request.socket.resetAndDestroy(),
      `${unavailable}the Vault server cannot be reached: the connection was closed`,
    ],
  ];
  for (const [what, play, expected] of cases) {
    it(`${what} makes the request wait, and its text is not repeated`, async t => {
      const { url } = await startServer(t, play);
      const answer = await createIssuer({ server: url }).sign();
      assert.equal(textOf(answer), expected);
      assert.ok(answer.kind === 'wait' && (answer.requeueAfterMs ?? 0) > 0);
    });
  }

  it('does not get requests or credentials redirected to another server', async t => {
    const target = await startServer(t, (_, response) => response.end('{}'));
    const { url } = await startServer(t, (_, response) => response.writeHead(307, { location: target.url }).end());
    const answer = textOf(await createIssuer({ server: url }).sign());
    assert.match(answer, /^wait VaultDenied: .* HTTP 307 response .*; redirects are not followed; /);
    assert.deepEqual(target.seen, []);
  });

  it('is asked once, however many requests there are, and its issuer is not Ready', async t => {
    const { url, seen } = await startServer(t, (_, response) =>
      response.writeHead(503).end('{"errors":["Vault is sealed"]}'),
    );
    const issuer = createIssuer({ server: url });
    const answers = [await issuer.sign(), await issuer.sign(), await issuer.sign()].map(textOf);
    assert.deepEqual(new Set(answers), new Set([`${unavailable}Vault answered 503: Vault is sealed`]));
    const readiness = await issuer.readiness();
    assert.ok(readiness !== 'kept-elsewhere');
    assert.equal(readiness.condition.reason, 'VaultError');
    assert.ok((readiness.recheckAfterMs ?? 0) > 0);
    assert.equal(seen.length, 1);
  });
});

describe('a login', () => {
  const appRole = { auth: { appRole: { roleId: 'r', secretRef: { name: 'token', key: 'id' } } } };
  const play: Play = (request, response) => {
    const isLogin = request.url === '/v1/auth/approle/login';
    const token = request.headers['x-vault-token'];
    const auth = { client_token: 's.login', lease_duration: 60, num_uses: 0 };
    if (isLogin) return void response.end(JSON.stringify({ auth }));
    response.writeHead(403).end(JSON.stringify({ errors: [`denied ${typeof token}`] }));
  };

  it('is made once for concurrent requests, and repeated once when the token is not accepted', async t => {
    const { url, seen } = await startServer(t, play);
    const issuer = createIssuer({ server: url, ...appRole });
    await Promise.all([issuer.sign(), issuer.sign(), issuer.sign()]);
    const logins = seen.filter(({ path }) => path.endsWith('/login'));
    assert.equal(logins.length, 1);
    assert.deepEqual(JSON.parse(logins[0]?.body ?? ''), { role_id: 'r', secret_id: 's.secret' });
    assert.ok(seen.filter(({ path }) => path === '/v1/pki/sign/web').every(({ token }) => token === 's.login'));
  });
});

describe('the metrics of calls to Vault servers', () => {
  const cases: readonly (readonly [string, Play, string])[] = [
    ['that refuses the role', (_, response) => response.writeHead(400).end('{"errors":["no"]}'), 'sign refused'],
    ['with a status code of its own', (_, response) => response.writeHead(299).end(), 'sign refused'],
    ['that is sealed', (_, response) => response.writeHead(503).end('{"errors":["sealed"]}'), 'sign unavailable'],
    ['that closes the connection', request => request.socket.resetAndDestroy(), 'sign unreachable'],
  ];
  for (const [what, play, expected] of cases) {
    it(`count a server ${what} as "${expected}"`, async t => {
      const issuer = createIssuer({ server: (await startServer(t, play)).url });
      await issuer.sign();
      assert.deepEqual(await issuer.counts(), { [expected]: 1 });
    });
  }

  it('count a standby server as healthy, and nothing for a call that is not made', async t => {
    const { url } = await startServer(t, (_, response) => response.writeHead(429).end('{}'));
    const issuer = createIssuer({ server: url });
    assert.deepEqual(await issuer.counts(), {});
    await issuer.readiness();
    assert.deepEqual(await issuer.counts(), { 'health success': 1 });
  });
});
