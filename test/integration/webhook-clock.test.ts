// A webhook process with a wrong clock: its serving certificate is valid by the clock of the API server, which verifies
// it. A fake API server sends the Date header and keeps everything in memory.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, afterEach, before, test } from 'node:test';
import { connect } from 'node:tls';
import { KEY_PAIR } from '../component/webhook/webhook-fixture.ts';
import { freePort } from '../support/control-plane/loopback.ts';
import { tokenKubeconfig } from '../support/token-kubeconfig.ts';
import { until } from '../support/until.ts';

const MAIN = new URL('../../services/webhook/main.ts', import.meta.url).pathname;
const DAY_MS = 86_400_000;

const objects = new Map<string, unknown>();
let aheadMs = 0;
let api: Server;
let dir: string;
let child: ChildProcess | undefined;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'webhook-'));
  api = createServer(KEY_PAIR, (call, response) => void answer(call, response));
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});
afterEach(() => child?.kill('SIGKILL'));
after(async () => {
  api.closeAllConnections();
  api.close();
  await rm(dir, { recursive: true });
});

/** Serves one Secret and one webhook configuration by name; no issuers. */
async function answer(call: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
  const path = call.url?.replace(/\?.*/, '') ?? '';
  if (call.method === 'PUT') objects.set(path, await json(call));
  else call.resume();
  if (call.url?.includes('watch=1')) return response.writeHead(200).flushHeaders();
  response.end(JSON.stringify(objects.get(path) ?? { metadata: { resourceVersion: '1' }, items: [] }));
}

/** Starts a webhook for 127.0.0.1, and returns its port. */
async function startWebhook(): Promise<number> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const webhooks = [{ name: 'requests.countersign.io', clientConfig: {} }];
  objects.set(`${configurations}/c`, { metadata: { name: 'c', resourceVersion: '1' }, webhooks });
  objects.set('/api/v1/namespaces/a/secrets/b', { metadata: { name: 'b', resourceVersion: '1' } });
  await writeFile(join(dir, 'kubeconfig'), tokenKubeconfig((api.address() as AddressInfo).port, KEY_PAIR.cert));
  const [port, health] = [await freePort(), await freePort()];
  const managed = ['--managed-certificate-secret=a/b', '--webhook-configuration=c', '--dns-names=127.0.0.1'];
  const addresses = [`--address=127.0.0.1:${port}`, `--http-address=127.0.0.1:${health}`];
  child = spawn(process.execPath, [MAIN, `--kubeconfig=${join(dir, 'kubeconfig')}`, ...managed, ...addresses], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    stdio: 'ignore',
  });
  await until(async () => (await fetch(`http://127.0.0.1:${health}/readyz`).catch(() => undefined))?.ok === true);
  return port;
}

async function servedValidity(port: number): Promise<readonly [Date, Date]> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  socket.destroy();
  return [new Date(from), new Date(to)];
}

for (const [where, days] of [
  ['behind', 400],
  ['ahead of', -400],
] as const) {
  test(`a webhook whose clock is 400 days ${where} that of the API server is ready and serves a certificate that is valid there`, async () => {
    aheadMs = days * DAY_MS;
    const [from, to] = await servedValidity(await startWebhook());
    const serverTime = new Date(Date.now() + aheadMs);
    assert.ok(from < serverTime && serverTime < to, `${from.toISOString()} to ${to.toISOString()}`);
  });
}
