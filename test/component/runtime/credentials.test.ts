// TLS and credentials: trust, identity, and changes of files.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { CredentialSource } from '@countersign/common/runtime/credentials/kube-credentials.ts';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { ApiConnection } from '@countersign/common/runtime/kube/kube-connection.ts';
import { until } from '../../support/until.ts';
import { createKeyPair, type FakeApiServer, sendJson, startFakeApiServer, writeKubeconfig } from './fake-api-server.ts';

let server: FakeApiServer;

before(async () => {
  server = await startFakeApiServer({ tls: true });
  server.handle((request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
    sendJson(response, 200, { authorization: request.headers.authorization, client: subject?.CN, url: request.url });
  });
});
after(() => server.close());

/** No request may time out because the machine is busy. */
const PATIENCE_MS = 20_000;

/** Returns the identity that the server sees. */
async function whoAmI(connection: ApiConnection): Promise<unknown> {
  const { body } = await connection.exchange({ method: 'GET', path: '/x' }, PATIENCE_MS);
  return JSON.parse(body.toString());
}

function connect(credentials: CredentialSource): ApiConnection {
  return new ApiConnection({ credentials, timeoutMs: PATIENCE_MS, userAgent: 'test' });
}

/** Relative to the kubeconfig, as kubeadm and minikube write them. */
const CLIENT_FILES = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };

function placeClient({ cert, key }: ReturnType<typeof createKeyPair>): void {
  writeFileSync(join(server.directory, CLIENT_FILES['client-certificate']), cert);
  writeFileSync(join(server.directory, CLIENT_FILES['client-key']), key);
}

describe('TLS', () => {
  test('the CA of the kubeconfig is trusted, connections are reused, and a path prefix is kept', async () => {
    const client = createClusterClient({
      kubeconfig: server.kubeconfig(undefined, { server: `${server.url}/k8s/c1/` }),
    });
    const earlier = server.connections();
    for (let index = 0; index < 20; index += 1) {
      assert.deepEqual(await client.get('/x'), { authorization: 'Bearer secret-token', url: '/k8s/c1/x' });
    }
    assert.ok(server.connections() - earlier <= 2);
    await client.close();
  });

  const untrusted = [
    { name: 'a foreign CA', cluster: (foreign: string) => ({ 'certificate-authority-data': btoa(foreign) }) },
    { name: 'another server name', cluster: () => ({ 'tls-server-name': 'elsewhere.test' }) },
  ];
  for (const { name, cluster } of untrusted) {
    test(`${name} is rejected with advice before anything is sent`, async () => {
      const foreign = createKeyPair(server.directory, 'foreign').cert;
      const client = createClusterClient({ kubeconfig: server.kubeconfig(undefined, cluster(foreign)) });
      const earlier = server.requests.length;
      await assert.rejects(client.get('/x'), { code: 'network', message: /check the CA and the server name/ });
      assert.equal(server.requests.length, earlier);
      await client.close();
    });
  }

  test('a client certificate that changes on disk is used on a new connection', async () => {
    placeClient(createKeyPair(server.directory, 'alice'));
    let now = 0;
    const connection = connect(new CredentialSource(server.kubeconfig(CLIENT_FILES), () => now));
    assert.deepEqual(await whoAmI(connection), { client: 'alice', url: '/x' });
    placeClient(createKeyPair(server.directory, 'bob'));
    now += 9_000;
    assert.deepEqual(await whoAmI(connection), { client: 'alice', url: '/x' });
    now += 2_000;
    assert.deepEqual(await whoAmI(connection), { client: 'bob', url: '/x' });
    await connection.close();
  });

  test('a client certificate without its key is retried, and the previous one still works', async () => {
    const [dan, eve] = [createKeyPair(server.directory, 'dan'), createKeyPair(server.directory, 'eve')];
    placeClient(dan);
    let now = 0;
    const connection = connect(new CredentialSource(server.kubeconfig(CLIENT_FILES), () => now));
    assert.deepEqual(await whoAmI(connection), { client: 'dan', url: '/x' });
    placeClient({ cert: eve.cert, key: dan.key });
    now += 11_000;
    await assert.rejects(whoAmI(connection), { name: 'RetryableError', code: 'network', message: /key/ });
    placeClient(dan);
    now += 11_000;
    assert.deepEqual(await whoAmI(connection), { client: 'dan', url: '/x' });
    await connection.close();
  });
});

/** A shell command that waits while the file exists, until the end of the tests. */
function hangWhile(path: string): string {
  return `while [ -e ${path} ]; do sleep 0.1; done`;
}

describe('credentials', () => {
  test('the kubeconfig is read again after the server was not trusted', async () => {
    let now = 0;
    const foreign = btoa(createKeyPair(server.directory, 'foreign').cert);
    const path = server.kubeconfig(undefined, { 'certificate-authority-data': foreign });
    const connection = connect(new CredentialSource(path, () => now));
    await assert.rejects(whoAmI(connection), { code: 'network' });
    server.kubeconfig();
    now += 1_000;
    assert.deepEqual(await whoAmI(connection), { authorization: 'Bearer secret-token', url: '/x' });
    await connection.close();
  });

  test('the kubeconfig is read again right after a 401, at most once a second', async () => {
    let now = 0;
    const source = new CredentialSource(server.kubeconfig({ token: 'old' }), () => now);
    const tokenIn = async (milliseconds: number) => {
      now += milliseconds;
      return (await source.read()).headers['authorization'];
    };
    assert.equal(await tokenIn(0), 'Bearer old');
    server.kubeconfig({ token: 'new' });
    assert.equal(await tokenIn(1_000), 'Bearer old');
    source.markRejected();
    assert.equal(await tokenIn(0), 'Bearer new');
    server.kubeconfig({ token: 'newer' });
    source.markRejected();
    assert.equal(await tokenIn(500), 'Bearer new');
    assert.equal(await tokenIn(500), 'Bearer newer');
  });

  test('the last credentials stay in use while a file is missing', async () => {
    let now = 0;
    writeFileSync(join(server.directory, 'ca.crt'), createKeyPair(server.directory, 'ca').cert);
    const path = join(server.directory, 'with-files');
    writeKubeconfig(path, { token: 't' }, { server: server.url, 'certificate-authority': 'ca.crt' });
    const source = new CredentialSource(path, () => now);
    await source.read();
    writeKubeconfig(path, { token: 't' }, { server: server.url, 'certificate-authority': 'missing.crt' });
    source.markRejected();
    now += 11_000;
    assert.equal((await source.read()).headers['authorization'], 'Bearer t');
    await assert.rejects(new CredentialSource(path, () => now).read(), {
      code: 'unauthorized',
      message: /: \S+missing\.crt does not exist$/,
    });
  });

  for (const [what, text, place] of [
    ['is not indented right', 'users:\n- user:\n    token: hush\n   bad: x\n', ' at line 4, column 4'],
    ['ends too early', 'users: [{user: {token: hush', ' at line 1, column 28'],
    ['has an alias that looks like a token', 'users: *hush', ' at line 1, column 9'],
    ['is empty', '', ''],
  ] as const) {
    test(`the error of a kubeconfig that ${what} has the position but no content`, () => {
      const path = join(server.directory, 'broken');
      writeFileSync(path, text);
      assert.throws(
        () => new CredentialSource(path, () => 0),
        (error: Error) => {
          assert.equal(error.message, `kubeconfig ${path}: not valid YAML${place}`);
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /hush/);
          return true;
        },
      );
    });
  }

  test('the client uses the namespace of the context', async () => {
    assert.equal(createClusterClient({ kubeconfig: server.kubeconfig() }).namespace, 'sandbox');
  });

  test('an exec plugin returns the token, and concurrent readers run it once', async () => {
    const log = join(server.directory, 'runs');
    const credential = JSON.stringify({ status: { token: 'from-plugin' } });
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', `echo run >>${log}; echo '${credential}'`],
    };
    const source = new CredentialSource(server.kubeconfig({ exec }), Date.now);
    const all = await Promise.all([source.read(), source.read(), source.read()]);
    assert.deepEqual(new Set(all.map(({ headers }) => headers['authorization'])), new Set(['Bearer from-plugin']));
    assert.equal(readFileSync(log, 'utf8'), 'run\n');
  });

  test('an exec plugin that fails later is not started for each request, and one that hangs blocks none', async () => {
    let now = 0;
    const limitMs = 10_000;
    const log = join(server.directory, 'more-runs');
    const expired = JSON.stringify({ status: { token: 'from-plugin', expirationTimestamp: '2020-01-01T00:00:00Z' } });
    for (const [failure, isFirst] of [
      ['exit 1', `[ $(wc -l <${log}) = 1 ]`],
      [hangWhile(log), `[ $(wc -l <${log}) = 1 ]`],
    ]) {
      writeFileSync(log, '');
      const args = ['-c', `echo run >>${log}; ${isFirst} || ${failure}; echo '${expired}'`];
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args };
      const source = new CredentialSource(server.kubeconfig({ exec }), () => now, limitMs);
      await source.read();
      for (let index = 0; index < 3; index += 1) {
        now += index === 0 ? 11_000 : 1_000;
        const started = performance.now();
        assert.equal((await source.read()).headers['authorization'], 'Bearer from-plugin');
        // A tenth of the limit, and what a busy machine adds.
        assert.ok(performance.now() - started < 0.8 * limitMs);
      }
      await until(() => readFileSync(log, 'utf8') === 'run\nrun\n');
    }
  });

  test('an exec plugin that hangs forever is eventually restarted, and blocks no caller meanwhile', async () => {
    let now = 0;
    const log = join(server.directory, 'hanging-runs');
    writeFileSync(log, '');
    const answer = (token: string) =>
      `echo '${JSON.stringify({ status: { token, expirationTimestamp: '2020-01-01T00:00:00Z' } })}'`;
    const script = `echo run >>${log}; case $(wc -l <${log}) in 1) ${answer('first')};; 2) ${hangWhile(log)};; *) ${answer('third')};; esac`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
    const source = new CredentialSource(server.kubeconfig({ exec }), () => now, 200);
    // The first start is awaited, however long it takes.
    await until(() =>
      source.read().then(
        () => true,
        () => false,
      ),
    );
    for (let index = 0; index < 6; index += 1) {
      now += 11_000;
      assert.equal((await source.read()).headers['authorization'], 'Bearer first');
    }
    await until(() => readFileSync(log, 'utf8') === 'run\nrun\n');
    now += 11_000;
    await source.read();
    await until(
      async () => (
        await source.read(), (now += 11_000), (await source.read()).headers['authorization'] === 'Bearer third'
      ),
    );
  });

  const refused = [
    { name: 'unverified TLS', cluster: { 'insecure-skip-tls-verify': true }, message: /certificate-authority-data/ },
    { name: 'plain http to another machine', cluster: { server: 'http://10.0.0.1' }, message: /not encrypted/ },
    { name: 'plain http to verify', cluster: { server: 'http://127.0.0.1' }, message: /set insecure-skip-tls-verify/ },
    { name: 'a proxy', cluster: { 'proxy-url': 'http://127.0.0.1:1' }, message: /proxy-url is not supported/ },
  ];
  for (const { name, cluster, message } of refused) {
    test(`a kubeconfig with ${name} is rejected at startup`, () => {
      assert.throws(() => createClusterClient({ kubeconfig: server.kubeconfig({}, cluster) }), { message });
    });
  }

  const refusedFields = [
    {
      user: { token: 'x', 'as-groups': ['a'] },
      message: /: as-groups requires a user to impersonate; set "as" or remove it$/,
    },
    { user: { token: 'x', 'as-uid': 'a' }, message: /: as-uid requires a user to impersonate/ },
    { user: { token: 'x', 'as-user-extra': { a: ['b'] } }, message: /: as-user-extra requires a user to impersonate/ },
    {
      user: { token: 'x', as: 'a', 'as-groups': 'hush' },
      message: /: as-groups must be a list of names$/,
    },
    {
      user: { token: 'x', as: 'a', 'as-user-extra': { a: 'hush' } },
      message: /: as-user-extra must be a map of lists/,
    },
    { user: { username: 'u', password: 'hush' }, message: /: username is not supported; .* use a token/ },
    { user: { 'client-certificate': 'c' }, message: /: client-certificate has no key; set client-key/ },
    { user: { token: 'x', 'client-key': 'k' }, message: /: client-key has no certificate; set client-certificate/ },
    {
      user: { exec: { command: 'x', provideClusterInfo: true } },
      message: /: exec\.provideClusterInfo is not supported; set it to false/,
    },
    { user: {}, message: /: the user of the current context has no credentials; set a token/ },
  ];
  for (const { user, message } of refusedFields) {
    test(`a kubeconfig whose user has the fields [${Object.keys(user).join()}] is rejected at startup`, () => {
      assert.throws(
        () => createClusterClient({ kubeconfig: server.kubeconfig(user) }),
        (error: Error) => message.test(error.message) && !error.message.includes('hush'),
      );
    });
  }

  test('a mistake in one of several kubeconfigs is reported with its file', () => {
    const broken = join(server.directory, 'second');
    writeFileSync(broken, 'users: *hush');
    assert.throws(() => createClusterClient({ kubeconfig: `${server.kubeconfig()}:${broken}` }), {
      message: `kubeconfig ${broken}: not valid YAML at line 1, column 9`,
    });
  });

  test('the first of several missing kubeconfigs is reported', () => {
    const kubeconfig = ['a', 'b'].map(name => join(server.directory, `no-${name}`)).join(':');
    assert.throws(() => createClusterClient({ kubeconfig }), { message: /no-a does not exist/ });
  });

  test('a kubeconfig whose context names a missing user is rejected at startup', () => {
    const kubeconfig = server.kubeconfig();
    writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace('"user":"test"', '"user":"none"'));
    assert.throws(() => createClusterClient({ kubeconfig }), { message: /no credentials; set a token/ });
  });

  test('the token in a tokenFile takes precedence, and is read again when it changes', async () => {
    let now = 0;
    const file = join(server.directory, 'token');
    writeFileSync(file, 'first\n');
    const source = new CredentialSource(server.kubeconfig({ token: 'other', tokenFile: 'token' }), () => now);
    assert.equal((await source.read()).headers['authorization'], 'Bearer first');
    writeFileSync(file, 'second\n');
    now += 11_000;
    assert.equal((await source.read()).headers['authorization'], 'Bearer second');
  });

  test('a missing kubeconfig is rejected at startup', () => {
    const kubeconfig = join(server.directory, 'none');
    assert.throws(() => createClusterClient({ kubeconfig }), {
      message: `kubeconfig ${kubeconfig} does not exist`,
    });
  });
});
