import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { Secret } from '@countersign/signer/secret.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { RecordingClient } from '../../support/recording-client.ts';

const REF = { namespace: 'sandbox', name: 'my-ca' };
const PATH = '/api/v1/namespaces/sandbox/secrets/my-ca';

function secret(resourceVersion: string): Secret {
  return { metadata: { name: 'my-ca', uid: 'u', resourceVersion }, data: { version: resourceVersion } };
}

function setup(first: Secret | undefined) {
  const world = { secret: first, now: 0 };
  const client = new RecordingClient(() => world.secret);
  return { world, client, reader: new SecretReader(client, () => world.now) };
}

/** The same, with a reader that asks for whom something waits until the end of the test. */
function start(t: TestContext, first: Secret | undefined) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { world, client, reader } = setup(first);
  const stop = new AbortController();
  const running = reader.run(stop.signal);
  t.after(() => (stop.abort(), running));
  const pass = async (ms: number) => {
    world.now += ms;
    t.mock.timers.tick(ms);
    await sleep(1);
  };
  return { world, client, reader, pass };
}

test('a Secret is read by its name, once a second however many ask', async () => {
  const { world, client, reader } = setup(secret('1'));
  await Promise.all([reader.read(REF), reader.read(REF), reader.read(REF)]);
  world.now = 999;
  await reader.read(REF);
  assert.deepEqual(client.calls, [{ verb: 'get', path: PATH }]);
  world.now = 1_000;
  await reader.read(REF);
  assert.equal(client.calls.length, 2);
});

test('the same object is handed out until the Secret changes, so that what was parsed can be kept', async () => {
  const { world, reader } = setup(secret('1'));
  const first = await reader.read(REF);
  world.secret = secret('1');
  world.now = 1_000;
  assert.equal(await reader.read(REF), first);
  world.secret = secret('2');
  world.now = 2_000;
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('a Secret of which only a label changed is the same object, and wakes nothing', async () => {
  const { world, reader } = setup(secret('1'));
  const first = await reader.read(REF);
  let woken = 0;
  reader.wakeOnChange(REF, '1', 'a request', () => (woken += 1));
  world.secret = { ...secret('1'), metadata: { ...secret('2').metadata } };
  world.now = 1_000;
  assert.equal(await reader.read(REF), first);
  assert.equal(woken, 0);
});

test('a Secret that is read now is not taken from the cache, nor from a read that began before', async () => {
  const { world, client, reader } = setup(secret('1'));
  const answers: (() => void)[] = [];
  client.answer = () => {
    const now = world.secret;
    return new Promise(resolve => answers.push(() => resolve(now)));
  };
  const before = reader.read(REF);
  world.secret = secret('2');
  world.now = 1;
  const fresh = reader.readNow(REF);
  answers[1]?.();
  assert.equal((await fresh)?.metadata.resourceVersion, '2');
  answers[0]?.();
  await before;
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('a failed read is not kept: the next one asks again', async () => {
  const { client, reader } = setup(secret('1'));
  client.answer = () => {
    throw new RetryableError('down', { code: 'server' });
  };
  await assert.rejects(reader.read(REF), /down/);
  client.answer = () => secret('1');
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '1');
});

test('who waits for a Secret is woken once, within a second of its change, by one read a second', async t => {
  const { world, client, reader, pass } = start(t, undefined);
  const woken: string[] = [];
  for (const name of ['a', 'b', 'a']) reader.wakeOnChange(REF, undefined, name, () => woken.push(name));
  const second = () => pass(1_000);
  await second();
  assert.deepEqual(woken, []);
  world.secret = secret('1');
  await second();
  assert.deepEqual(woken, ['b', 'a']);
  await second();
  assert.equal(client.calls.length, 2);
  assert.equal(woken.length, 2);
});

test('a Secret that stays as it was found wakes nobody', async t => {
  const { client, reader, pass } = start(t, secret('1'));
  for (const name of ['a', 'b']) reader.wakeOnChange(REF, '1', name, () => assert.fail('woken'));
  await pass(1_000);
  await pass(1_000);
  assert.equal(client.calls.length, 2);
});

test('a Secret that cannot be read wakes nobody, and is asked for again', async t => {
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

test('a Secret that nobody waits for any more is not asked for', async t => {
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

test('after the end nobody waits, and who had waited may wait again', async () => {
  const { reader } = setup(undefined);
  const woken: string[] = [];
  reader.wakeOnChange(REF, undefined, 'a', () => woken.push('a'));
  await reader.run(AbortSignal.abort());
  reader.wakeOnChange(REF, '1', 'b', () => woken.push('b'));
  reader.wakeOnChange(REF, '2', 'a', () => woken.push('a again'));
  assert.deepEqual(woken, ['b']);
});

test('the change of a Secret is seen little more than a second after it, whenever it was last read', async t => {
  const { world, reader, pass } = start(t, undefined);
  const woken: number[] = [];
  world.now = 1_100;
  t.mock.timers.tick(1_100);
  await reader.read(REF);
  reader.wakeOnChange(REF, undefined, 'a', () => woken.push(world.now));
  world.secret = secret('1');
  for (let i = 0; i < 30; i += 1) {
    await pass(50);
  }
  assert.deepEqual(woken, [2_250]);
});

test('while a read is in hand nobody asks again, however slow the API server is', async () => {
  const { world, client, reader } = setup(secret('1'));
  const slow = Promise.withResolvers<Secret>();
  client.answer = () => slow.promise;
  const reads = [reader.read(REF)];
  for (; world.now < 5_000; world.now += 1_000) reads.push(reader.read(REF));
  assert.equal(client.calls.length, 1);
  slow.resolve(secret('1'));
  const versions = (await Promise.all(reads)).map(read => read?.metadata.resourceVersion);
  assert.deepEqual(versions, Array(6).fill('1'));
  // It was asked for five seconds ago: too old for whoever comes now.
  client.answer = () => secret('2');
  assert.equal((await reader.read(REF))?.metadata.resourceVersion, '2');
});

test('who waits for a Secret is woken by whoever reads it, since frequent readers leave nothing to be read', async t => {
  const { world, client, reader } = start(t, secret('1'));
  const woken: number[] = [];
  await reader.read(REF);
  reader.wakeOnChange(REF, '1', 'a', () => woken.push(world.now));
  world.secret = secret('2');
  for (let index = 0; index < 300; index += 1) {
    world.now += 10;
    t.mock.timers.tick(10);
    await reader.read(REF);
  }
  assert.deepEqual([woken, client.calls.length], [[1_000], 4]);
});

test('where very many Secrets are waited for, they are read in turns, a dozen at a time', async t => {
  const { client, reader, pass } = start(t, undefined);
  for (let index = 0; index < 30; index += 1) {
    reader.wakeOnChange({ namespace: 'sandbox', name: `s-${index}` }, undefined, `${index}`, () => {});
  }
  const inHand: (() => void)[] = [];
  client.answer = () => new Promise(resolve => inHand.push(() => resolve(undefined)));
  const tick = () => pass(250);
  await tick();
  await tick();
  assert.equal(client.calls.length, 12);
  for (let turn = 0; turn < 2; turn += 1) {
    for (const answer of inHand.splice(0)) answer();
    await sleep(1);
    await tick();
  }
  assert.equal(new Set(client.calls.map(({ path }) => path)).size, 30);
  for (const answer of inHand) answer();
});

test('of more Secrets than can be read in a second none is left out for those that were read before', async t => {
  const { client, reader, pass } = start(t, undefined);
  for (let index = 0; index < 100; index += 1) {
    reader.wakeOnChange({ namespace: 'sandbox', name: `s-${index}` }, undefined, `${index}`, () => {});
  }
  for (let turn = 0; turn < 12; turn += 1) await pass(250);
  assert.equal(new Set(client.calls.map(({ path }) => path)).size, 100);
});

for (const name of ['', '..', '../x', 'x?y', 'X']) {
  test(`a Secret called "${name}" cannot exist, and is not asked for`, async () => {
    const { client, reader } = setup(secret('1'));
    assert.equal(await reader.read({ namespace: 'sandbox', name }), undefined);
    assert.deepEqual(client.calls, []);
  });
}
