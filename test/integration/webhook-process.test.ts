// The webhook as a process: its flags, the API calls it needs, and graceful shutdown on SIGTERM.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { certificatePlace, findMistakes, OPTIONS } from '@countersign/webhook/options.ts';
import { Agent, request } from 'undici';
import { KEY_PAIR } from '../component/webhook/webhook-fixture.ts';
import { review } from '../support/admission-reviews.ts';
import { tokenKubeconfig } from '../support/token-kubeconfig.ts';

const MAIN = new URL('../../services/webhook/main.ts', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): {
  child: ChildProcess;
  ended: Promise<Ended>;
  line: (text: string) => Promise<string>;
} {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => (stdout += chunk));
  child.stderr.on('data', chunk => (stderr += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  /** Waits for a log line. */
  const line = async (text: string): Promise<string> => {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const found = stdout.split('\n').find(candidate => candidate.includes(text));
      if (found !== undefined) return found;
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`did not log "${text}": ${stdout}${stderr}`);
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  };
  return { child, ended, line };
}

test('--check-config prints the configuration and stops', async () => {
  const { code, stdout, stderr } = await start(['--check-config', '--tls-secret=a/b']).ended;
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal((JSON.parse(stdout) as { tlsSecret: string }).tlsSecret, 'a/b');
});

test('all configuration errors are reported together, and nothing is started', async () => {
  const { code, stdout, stderr } = await start(['--permission-ttl=2s', '--tls-secret=b']).ended;
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^set exactly one of these: .*\n--permission-ttl: must be at most 1s\n$/);
});

test('an invalid address is rejected, and nothing is started', async () => {
  const { code, stdout, stderr } = await start(['--address=x', '--tls-secret=a/b']).ended;
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^--address: "x" is not a valid address; .*\n$/);
});

describe('serving certificate flags', () => {
  const CASES: readonly (readonly [string, readonly string[], unknown])[] = [
    ['two files', ['--tls-cert-file=c', '--tls-key-file=k'], { kind: 'files', certFile: 'c', keyFile: 'k' }],
    ['a Secret', ['--tls-secret=a/b'], { kind: 'secret', secret: { namespace: 'a', name: 'b' } }],
    [
      'its own CA in a Secret',
      ['--managed-certificate-secret=a/b', '--webhook-configuration=c', '--dns-names=d.svc,127.0.0.1'],
      {
        kind: 'managed',
        secret: { namespace: 'a', name: 'b' },
        configuration: 'c',
        names: ['d.svc', '127.0.0.1'],
      },
    ],
    [
      'its own CA without names (invalid)',
      ['--managed-certificate-secret=a/b', '--webhook-configuration=c'],
      undefined,
    ],
    ['no source (invalid)', [], undefined],
    ['a certificate without a key (invalid)', ['--tls-cert-file=c'], undefined],
    ['both files and a Secret (invalid)', ['--tls-secret=a/b', '--tls-cert-file=c', '--tls-key-file=k'], undefined],
    ['a Secret without a namespace (invalid)', ['--tls-secret=b'], undefined],
    ['a Secret name with too many parts (invalid)', ['--tls-secret=a/b/c'], undefined],
  ];
  for (const [name, flags, place] of CASES) {
    test(`the flags select the serving certificate from ${name}`, () => {
      const config = parseConfig(OPTIONS, flags, {});
      assert.ok(config.ok);
      assert.deepEqual(certificatePlace(config.value), place);
      assert.equal(findMistakes(config.value).length, place === undefined ? 1 : 0);
    });
  }
});

describe('a running webhook', () => {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const agent = new Agent({ connect: { ca: KEY_PAIR.cert } });
  let api: Server;
  let dir: string;
  let kill = (): boolean => false;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'webhook-'));
    api = createServer(KEY_PAIR, answer);
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    await writeFile(join(dir, 'tls.crt'), KEY_PAIR.cert);
    await writeFile(join(dir, 'tls.key'), KEY_PAIR.key, { mode: 0o600 });
    await writeFile(join(dir, 'kubeconfig'), tokenKubeconfig((api.address() as AddressInfo).port, KEY_PAIR.cert));
  });

  after(async () => {
    kill();
    api.closeAllConnections();
    api.close();
    await agent.destroy();
    await rm(dir, { recursive: true });
  });

  /** No issuers, silent watches, and access reviews that are allowed once the gate opens. */
  function answer(call: IncomingMessage, response: ServerResponse): void {
    call.resume();
    if (call.method === 'POST') {
      asked.resolve();
      void gate.promise.then(() => response.end(JSON.stringify({ status: { allowed: true } })));
    } else if (call.url?.includes('watch=1')) response.writeHead(200).flushHeaders();
    else response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
  }

  test('the webhook answers requests in flight after SIGTERM, becomes not ready, and exits with 0', async () => {
    const files = [`--tls-cert-file=${join(dir, 'tls.crt')}`, `--tls-key-file=${join(dir, 'tls.key')}`];
    const addresses = ['--address=127.0.0.1:0', '--http-address=127.0.0.1:0', '--drain-delay=300ms'];
    const { child, ended, line } = start([`--kubeconfig=${join(dir, 'kubeconfig')}`, ...files, ...addresses]);
    kill = () => child.kill('SIGKILL');
    const portOf = async (text: string) => (JSON.parse(await line(text)) as { port: number }).port;
    const health = `http://127.0.0.1:${await portOf('serving metrics and health')}`;
    const port = await portOf('serving admission requests');
    const isReady = async () => (await request(`${health}/readyz`)).statusCode;
    assert.equal(await isReady(), 200);
    const inFlight = request(`https://127.0.0.1:${port}/validate`, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(review()),
    });
    await asked.promise;
    child.kill('SIGTERM');
    await line('"stopping"');
    assert.equal(await isReady(), 503);
    gate.resolve();
    const { body } = await inFlight;
    const { response } = (await body.json()) as { response: { allowed: boolean; warnings: string[] } };
    assert.equal(response.allowed, true);
    assert.deepEqual(response.warnings, ['Issuer sandbox/ca does not exist; the request waits until it is created']);
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /"msg":"stopped"/);
  });
});
