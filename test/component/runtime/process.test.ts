// Process infrastructure: logs, metrics, probes, signals and shutdown.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { startHttpServer } from '@countersign/common/runtime/process/health-server.ts';
import { createStopSignal, drain, requireNode } from '@countersign/common/runtime/process/lifecycle.ts';
import type { LogLevel } from '@countersign/common/runtime/process/log.ts';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { createReflectorMetrics } from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import { recordLog } from '../../support/test-log.ts';

function capture(level: LogLevel = 'info') {
  return recordLog(level, 'signer');
}

describe('logs', () => {
  test('a log line has the time in ISO 8601, the level name, the service, the message and the fields', () => {
    const { lines, log } = capture();
    log.info({ csr: 'x' }, 'signing certificate');
    log.debug('not at this level');
    const { time, ...rest } = lines[0] ?? {};
    assert.equal(new Date(String(time)).toISOString(), time);
    assert.deepEqual(rest, { level: 'info', service: 'signer', csr: 'x', msg: 'signing certificate' });
    assert.equal(lines.length, 1);
  });

  test('a logged error has its code and its cause, but no credentials', () => {
    const { lines, log } = capture();
    const err = new RetryableError('no answer', { code: 'network', cause: new Error('ECONNRESET') });
    const headers = { authorization: 'Bearer x' };
    log.warn({ err: Object.assign(err, { request: { headers } }), headers, ...headers }, 'failed');
    const text = JSON.stringify(lines);
    assert.match(text, /"code":"network"/);
    assert.match(text, /no answer: ECONNRESET/);
    assert.doesNotMatch(text, /Bearer|stack/);
  });

  test('a cause that is part of the message is not repeated', () => {
    const { lines, log } = capture();
    const reset = new RetryableError('GET /x: read ECONNRESET', {
      code: 'network',
      cause: new Error('read ECONNRESET'),
    });
    const err = new RetryableError(`no Secret: ${reset.message}`, { code: 'network', cause: reset });
    log.warn({ err }, 'work failed');
    const expected = { type: 'RetryableError', message: 'no Secret: GET /x: read ECONNRESET', code: 'network' };
    assert.deepEqual(lines[0]?.['err'], expected);
  });

  test('an unclassified error is logged with its stack', () => {
    const { lines, log } = capture();
    log.error({ err: new TypeError('a bug') }, 'failed');
    assert.match(JSON.stringify(lines), /"stack":"TypeError: a bug\\n +at /);
  });

  test('a stack without frames is not logged', () => {
    const { lines, log } = capture();
    const err = Object.assign(new Error('alert unknown ca'), { stack: 'Error: alert unknown ca' });
    log.warn({ err }, 'failed');
    assert.deepEqual(lines[0]?.['err'], { type: 'Error', message: 'alert unknown ca' });
  });

  for (const thrown of ['only text', null, 42]) {
    test(`a thrown value that is not an error, ${String(thrown)}, is logged`, () => {
      const { lines, log } = capture();
      log.warn({ err: thrown }, 'failed');
      assert.deepEqual([lines[0]?.['msg'], lines[0]?.['err']], ['failed', { message: String(thrown) }]);
    });
  }
});

describe('the last log lines of a process', () => {
  const ends: readonly (readonly [how: string, script: string])[] = [
    ['that exits', 'log.info("second"); process.exit(0)'],
    ['that fails', 'log.info("second"); throw new Error("unexpected")'],
    ['that fails later', 'setTimeout(() => { log.info("second"); throw new Error("unexpected") }, 5)'],
    ['that continues', 'log.info("second")'],
    ['that logs much at once', 'log.info({ much: "x".repeat(20_000) }, "second")'],
    ['that is killed after a flush', 'log.info("second"); log.flush(); process.kill(process.pid, "SIGKILL")'],
  ];
  for (const [how, script] of ends) {
    test(`the last lines of a process ${how} are complete and in order, without waiting for the disk`, () => {
      const log = fileURLToPath(import.meta.resolve('@countersign/common/runtime/process/log.ts'));
      const source = `import fs from 'node:fs';
        import { createLogger } from ${JSON.stringify(log)};
        fs.fsyncSync = () => process.abort();
        const log = createLogger({ service: 'x', level: 'info' });
        log.info('first'); ${script}`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
      const lines = stdout.trim().split('\n');
      assert.deepEqual(
        lines.map(line => JSON.parse(line).msg),
        ['first', 'second'],
      );
    });
  }
});

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function failToTell(): never {
  throw new Error('secret detail');
}

describe('probes and metrics', () => {
  const reasons = ['certificatesigningrequests: not listed yet', 'not the leader'];
  const cases = [
    { path: '/healthz', ready: [], code: 200, body: /^ok\n$/ },
    { path: '/readyz', ready: [], code: 200, body: /^ok\n$/ },
    {
      path: '/readyz?verbose',
      ready: reasons,
      code: 503,
      body: /^certificatesigningrequests: not listed yet\nnot the leader\n$/,
    },
    { path: '/healthz', ready: reasons, code: 200, body: /^ok\n$/ },
    { path: '/', ready: [], code: 404, body: /^not found\n$/ },
    { path: '/metrics/x', ready: [], code: 404, body: /^not found\n$/ },
  ];
  for (const { path, ready, code, body } of cases) {
    test(`the path ${path} returns ${code} ${ready.length > 0 ? 'with the reasons' : ''}`, async () => {
      const server = await startHttpServer({
        address: LOOPBACK,
        isReady: () => ready,
        registry: createRegistry(),
      });
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      assert.equal(response.status, code);
      assert.match(await response.text(), body);
      await server.close();
    });
  }

  test('a check that throws gives 500, and the server continues', async () => {
    const server = await startHttpServer({ address: LOOPBACK, isReady: failToTell, registry: createRegistry() });
    const response = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    assert.deepEqual([response.status, await response.text()], [500, 'internal error\n']);
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
    await server.close();
  });

  test('the clock offset is updated by each response with a Date', async () => {
    const registry = createRegistry();
    const observe = createRequestObserver(registry);
    const answer = { method: 'GET', host: 'h:1', code: '200', seconds: 0.01 };
    observe({ ...answer, serverTime: Date.now() - 90_000 });
    observe({ ...answer, code: '<error>' });
    observe({ ...answer, serverTime: Number.NaN });
    const [, offset] = /^countersign_clock_offset_seconds (.*)$/m.exec(await registry.metrics()) ?? [];
    assert.ok(Number(offset) > 89 && Number(offset) < 92, `offset ${offset}`);
  });

  test('/metrics has metrics of the process, the API server requests and the reflectors', async () => {
    const registry = createRegistry();
    createRequestObserver(registry)({ method: 'GET', host: 'h:1', code: '200', seconds: 0.01 });
    const reflector = createReflectorMetrics(registry);
    reflector.onList('issuers');
    reflector.onWatchEnd('issuers', 'gone');
    reflector.setSize('issuers', 3);
    const server = await startHttpServer({ address: LOOPBACK, isReady: () => [], registry });
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    await server.close();
    for (const line of [
      'rest_client_requests_total{code="200",method="GET",host="h:1"} 1',
      'rest_client_request_duration_seconds_sum{verb="GET",host="h:1"} 0.01',
      'reflector_lists_total{name="issuers"} 1',
      'reflector_watch_ends_total{name="issuers",reason="gone"} 1',
      'reflector_items{name="issuers"} 3',
      'process_cpu_seconds_total ',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });

  test('an address without a host listens on all addresses, including IPv6 if there is any', async () => {
    const options = { isReady: () => [], registry: createRegistry() };
    const server = await startHttpServer({ address: { host: '', port: 0 }, ...options });
    const loopback = networkInterfaces()['lo'] ?? assert.fail('no loopback');
    for (const { address, family } of loopback) {
      const host = family === 'IPv6' ? `[${address}]` : address;
      assert.equal((await fetch(`http://${host}:${server.port}/healthz`)).status, 200, host);
    }
    await server.close();
  });

  test('an address in use is rejected', async () => {
    const options = { isReady: () => [], registry: createRegistry() };
    const server = await startHttpServer({ address: LOOPBACK, ...options });
    await assert.rejects(startHttpServer({ address: { ...LOOPBACK, port: server.port }, ...options }), {
      code: 'EADDRINUSE',
    });
    await server.close();
  });
});

describe('shutdown', () => {
  for (const name of ['SIGTERM', 'SIGINT']) {
    test(`the first ${name} aborts the signal, the second exits with 1`, () => {
      const source = new EventEmitter();
      const codes: number[] = [];
      const signal = createStopSignal({ log: capture().log, exit: code => void codes.push(code), source });
      assert.equal(signal.aborted, false);
      source.emit(name, name);
      assert.deepEqual([signal.aborted, codes], [true, []]);
      source.emit('SIGTERM', 'SIGTERM');
      assert.deepEqual(codes, [1]);
    });
  }

  test('closers run in order, and a failing one does not stop the others', async () => {
    const { lines, log } = capture();
    const order: string[] = [];
    const closer = (name: string, act: () => Promise<void> | void) => ({
      name,
      close: async () => {
        await act();
        order.push(name);
      },
    });
    const closers = [
      closer('webhook', () => new Promise(resolve => setTimeout(resolve, 10))),
      closer('broken', () => Promise.reject(new Error('will not close'))),
      closer('client', () => undefined),
    ];
    assert.equal(await drain(closers, { deadlineMs: 1000, log }), false);
    assert.deepEqual(order, ['webhook', 'client']);
    assert.deepEqual(
      lines.map(({ msg, closer: name }) => [msg, name]),
      [['close failed', 'broken']],
    );
    assert.equal(await drain(closers.slice(2), { deadlineMs: 1000, log }), true);
  });

  test('the deadline ends the shutdown and logs what is still open', async () => {
    const { lines, log } = capture();
    const hanging = { name: 'hanging', close: () => new Promise<void>(() => undefined) };
    const never = { name: 'never', close: () => assert.fail('must not be reached') };
    assert.equal(await drain([hanging, never], { deadlineMs: 20, log }), false);
    assert.deepEqual(lines[0]?.['unclosed'], ['hanging', 'never']);
  });

  test('an old Node.js is rejected', () => {
    requireNode('24.11.0');
    requireNode('26.10.0');
    assert.throws(() => requireNode('20.20.2'), /Node\.js 20\.20\.2 is too old: install Node\.js 24 or newer/);
  });
});

for (const [service, ...flags] of [['signer'], ['webhook', '--tls-secret=a/b']] as const) {
  test(`a ${service} that cannot start logs the cause and exits with 1`, () => {
    const main = fileURLToPath(new URL(`../../../services/${service}/main.ts`, import.meta.url));
    const args = [main, '--kubeconfig=/none', '--http-address=127.0.0.1:0', ...flags];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^countersign-${service}: Error: kubeconfig /none: ENOENT`));
  });
}
