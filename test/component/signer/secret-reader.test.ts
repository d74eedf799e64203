import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { Secret } from '@countersign/common/secret.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { RecordingClient } from '../../support/recording-client.ts';

const REF = { namespace: 'sandbox', name: 'my-ca' };
const PATH = '/api/v1/namespaces/sandbox/secrets/my-ca';

function secret(resourceVersion: string): Secret {
  return { metadata: { name: 'my-ca', uid: 'u', resourceVersion }, data: { version: resourceVersion } };
}

function setup(first: Secret | undefined) {
  const state = { secret: first, now: 0 };
  const client = new RecordingClient(() => state.secret);
  return { state, client, reader: new SecretReader(client, () => state.now) };
}

/** Like setup, with a reader that polls for waiting callers until the end of the test. */
function start(t: TestContext, first: Secret | undefined) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { state, client, reader } = setup(first);
  const stop = new AbortController();
  const running = reader.run(stop.signal);
  t.after(() => (stop.abort(), running));
  const pass = async (ms: number) => {
    state.now += ms;
    t.mock.timers.tick(ms);
    await sleep(1);
  };
  return { state, client, reader, pass };
}

test('a Secret is read by name at most once a second, however many callers there are', async () => {
  const { state, client, reader } = setup(secret('1'));
  await Promise.all([reader.read(REF), reader.read(REF), reader.read(REF)]);
  state.now = 999;
  await reader.read(REF);
  assert.deepEqual(client.calls, [{ verb: 'get', path: PATH }]);
  state.now = 1_000;
  await reader.read(REF);
  assert.equal(client.calls.length, 2);
});

test('the same object is returned until the Secret changes, so that parsed results can be cached', async () => {
  const { state, reader } = setup(secret('1'));
  const first = await reader.read(REF);
  state.secret = secret('1');
  state.now = 1_000;
  assert.equal(await reader.read(REF), first);
  state.secret = secret('2');
  state.now = 2_000;
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('a changed label on a Secret returns the same object and wakes nothing', async () => {
  const { state, reader } = setup(secret('1'));
  const first = await reader.read(REF);
  let woken = 0;
  reader.wakeOnChange(REF, '1', 'a request', () => (woken += 1));
  state.secret = { ...secret('1'), metadata: { ...secret('2').metadata } };
  state.now = 1_000;
  assert.equal(await reader.read(REF), first);
  assert.equal(woken, 0);
});

test('readNow uses neither the cache nor a read in flight', async () => {
  const { state, client, reader } = setup(secret('1'));
  const answers: (() => void)[] = [];
  client.answer = () => {
    const now = state.secret;
    return new Promise(resolve => answers.push(() => resolve(now)));
  };
  const before = reader.read(REF);
  state.secret = secret('2');
  state.now = 1;
  const fresh = reader.readNow(REF);
  answers[1]?.();
  assert.equal((await fresh)?.metadata.resourceVersion, '2');
  answers[0]?.();
  await before;
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('a failed read is not cached', async () => {
  const { client, reader } = setup(secret('1'));
  client.answer = () => {
    throw new RetryableError('down', { code: 'server' });
  };
  await assert.rejects(reader.read(REF), /down/);
  client.answer = () => secret('1');
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '1');
});

test('a waiter is woken once, within a second of a change, with one read a second', async t => {
  const { state, client, reader, pass } = start(t, undefined);
  const woken: string[] = [];
  for (const name of ['a', 'b', 'a']) reader.wakeOnChange(REF, undefined, name, () => woken.push(name));
  const second = () => pass(1_000);
  await second();
  assert.deepEqual(woken, []);
  state.secret = secret('1');
  await second();
  assert.deepEqual(woken, ['b', 'a']);
  await second();
  assert.equal(client.calls.length, 2);
  assert.equal(woken.length, 2);
});

test('an unchanged Secret wakes no waiter', async t => {
  const { client, reader, pass } = start(t, secret('1'));
  for (const name of ['a', 'b']) reader.wakeOnChange(REF, '1', name, () => assert.fail('woken'));
  await pass(1_000);
  await pass(1_000);
  assert.equal(client.calls.length, 2);
});

test('a Secret that cannot be read wakes no waiter and is read again', async t => {
  const { client, reader, pass } = start(t, secret('1'));
  const woken: string[] = [];
  reader.wakeOnChange(REF, '1', 'a', () => woken.push('a'));
  client.answer = () => {
    throw new RetryableError('down', { code: 'server' });
  };
  await pass(1_000);
  assert.deepEqual(woken, []);
  client.answer = () => secret('2');
  await pass(1_000);
  assert.deepEqual(woken, ['a']);
});

test('a Secret without waiters is not polled', async t => {
  const { client, reader, pass } = start(t, undefined);
  const fail = () => assert.fail('woken');
  reader.wakeOnChange(REF, undefined, 'a', fail);
  reader.wakeOnChange(REF, undefined, 'b', fail);
  reader.stopWaiting('a');
  reader.stopWaiting('a');
  reader.wakeOnChange({ namespace: 'sandbox', name: 'other' }, undefined, 'b', () => {});
  await pass(1_000);
  assert.deepEqual(
    client.calls.map(({ path }) => path),
    ['/api/v1/namespaces/sandbox/secrets/other'],
  );
});

test('run drops all waiters when it ends, and they may wait again', async () => {
  const { reader } = setup(undefined);
  const woken: string[] = [];
  reader.wakeOnChange(REF, undefined, 'a', () => woken.push('a'));
  await reader.run(AbortSignal.abort());
  reader.wakeOnChange(REF, '1', 'b', () => woken.push('b'));
  reader.wakeOnChange(REF, '2', 'a', () => woken.push('a again'));
  assert.deepEqual(woken, ['b']);
});

test('a change is seen little more than a second later, whenever the Secret was last read', async t => {
  const { state, reader, pass } = start(t, undefined);
  const woken: number[] = [];
  state.now = 1_100;
  t.mock.timers.tick(1_100);
  await reader.read(REF);
  reader.wakeOnChange(REF, undefined, 'a', () => woken.push(state.now));
  state.secret = secret('1');
  for (let i = 0; i < 30; i += 1) {
    await pass(50);
  }
  assert.deepEqual(woken, [2_250]);
});

test('a read in flight is shared, however slow the API server is', async () => {
  const { state, client, reader } = setup(secret('1'));
  const slow = Promise.withResolvers<Secret>();
  client.answer = () => slow.promise;
  const reads = [reader.read(REF)];
  for (; state.now < 5_000; state.now += 1_000) reads.push(reader.read(REF));
  assert.equal(client.calls.length, 1);
  slow.resolve(secret('1'));
  const versions = (await Promise.all(reads)).map(read => read?.metadata.resourceVersion);
  assert.deepEqual(versions, Array(6).fill('1'));
  // The read started five seconds ago: too old for new callers.
  client.answer = () => secret('2');
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('a waiter is woken by any read of its Secret, since frequent reads prevent polls', async t => {
  const { state, client, reader } = start(t, secret('1'));
  const woken: number[] = [];
  await reader.read(REF);
  reader.wakeOnChange(REF, '1', 'a', () => woken.push(state.now));
  state.secret = secret('2');
  for (let index = 0; index < 300; index += 1) {
    state.now += 10;
    t.mock.timers.tick(10);
    await reader.read(REF);
  }
  assert.deepEqual([woken, client.calls.length], [[1_000], 4]);
});

test('many awaited Secrets are polled in turns, a dozen at a time', async t => {
  const { client, reader, pass } = start(t, undefined);
  for (let index = 0; index < 30; index += 1) {
    reader.wakeOnChange({ namespace: 'sandbox', name: `s-${index}` }, undefined, `${index}`, () => {});
  }
  const inFlight: (() => void)[] = [];
  client.answer = () => new Promise(resolve => inFlight.push(() => resolve(undefined)));
  const tick = () => pass(250);
  await tick();
  await tick();
  assert.equal(client.calls.length, 12);
  for (let turn = 0; turn < 2; turn += 1) {
    for (const answer of inFlight.splice(0)) answer();
    await sleep(1);
    await tick();
  }
  assert.equal(new Set(client.calls.map(({ path }) => path)).size, 30);
  for (const answer of inFlight) answer();
});

test('no Secret is starved if there are more than can be read in a second', async t => {
  const { client, reader, pass } = start(t, undefined);
  for (let index = 0; index < 100; index += 1) {
    reader.wakeOnChange({ namespace: 'sandbox', name: `s-${index}` }, undefined, `${index}`, () => {});
  }
  for (let turn = 0; turn < 12; turn += 1) await pass(250);
  assert.equal(new Set(client.calls.map(({ path }) => path)).size, 100);
});

for (const name of ['', '..', '../x', 'x?y', 'X']) {
  test(`a Secret named "${name}" cannot exist and is not read`, async () => {
    const { client, reader } = setup(secret('1'));
    assert.equal(await reader.read({ namespace: 'sandbox', name }), undefined);
    assert.deepEqual(client.calls, []);
  });
}
