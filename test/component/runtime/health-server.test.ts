// The cost of clients on the port of probes and metrics, which anyone in the pod network can reach.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import {
  type HttpServer,
  type HttpServerLimits,
  startHttpServer,
} from '@countersign/common/runtime/process/health-server.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { until } from '../../support/until.ts';

const registry = createRegistry();
const render = registry.metrics.bind(registry);
let rendered = 0;
registry.metrics = () => {
  rendered += 1;
  return render();
};

let server: HttpServer | undefined;
afterEach(() => server?.close());

async function serve(limits?: HttpServerLimits): Promise<void> {
  const address = { host: '127.0.0.1', port: 0 };
  server = await startHttpServer({ address, isReady: () => [], registry, ...(limits && { limits }) });
}

async function open(): Promise<Socket> {
  const socket = connect(server?.port ?? 0, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function probe(): Promise<number> {
  return (await fetch(`http://127.0.0.1:${server?.port}/healthz`, { headers: { connection: 'close' } })).status;
}

test('a probe is answered however many connections are open; the oldest silent ones are closed', async () => {
  await serve();
  const silent: Socket[] = [];
  for (let number = 0; number < 200; number += 1) silent.push((await open()).resume());
  await until(async () => silent.filter(({ closed }) => closed).length === 200 - 64);
  assert.equal(await probe(), 200);
  for (const socket of silent) socket.destroy();
});

test('silent connections and incomplete requests time out', async () => {
  await serve({ connections: 9, timeoutMs: 400 });
  const silent = await open();
  const half = await open();
  half.write('GET /metrics HTTP/1.1\r\nhost: x\r\nx: ');
  const asked = await open();
  asked.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(asked, 'data');
  asked.write('GET /healthz HTTP/1.1\r\nhost: x\r\nx: ');
  await Promise.all([silent, half, asked].map(socket => once(socket.resume(), 'close')));
});

test('a client that pipelines requests is cut off, and costs one rendering of the metrics', async () => {
  await serve();
  rendered = 0;
  const socket = await open();
  socket.resume().write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
  await once(socket, 'close');
  assert.equal(await probe(), 200);
  assert.ok(rendered <= 1, `${rendered} renderings`);
});
