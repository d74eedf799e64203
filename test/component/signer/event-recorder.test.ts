import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { recordLog, TEST_LOG } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';

const CSR = {
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'jane', uid: 'uid-1', resourceVersion: '7' },
};
const WAITING = { type: 'Normal', reason: 'WaitingApproval', message: 'Waiting' } as const;

function setup() {
  const client = new RecordingClient();
  return { client, recorder: new EventRecorder(client, TEST_LOG) };
}

test('an event for a CSR is written to the default namespace with one component and its involved object', async () => {
  const { client, recorder } = setup();
  recorder.record(CSR, WAITING);
  await recorder.flush(AbortSignal.timeout(1_000));
  const [call] = client.calls;
  const event = call?.body as Record<string, unknown>;
  assert.equal(call?.path, '/api/v1/namespaces/default/events');
  assert.deepEqual(event['source'], { component: 'countersign-signer' });
  const about = event['involvedObject'] as Record<string, unknown>;
  assert.deepEqual([about['kind'], about['name'], about['uid']], ['CertificateSigningRequest', 'jane', 'uid-1']);
  assert.equal(event['reason'], 'WaitingApproval');
});

test('an event is written once per object, and again for another occasion or object', async () => {
  const { client, recorder } = setup();
  recorder.record(CSR, WAITING);
  recorder.record(CSR, WAITING);
  recorder.record(CSR, { ...WAITING, occasion: 'later' });
  recorder.record({ ...CSR, metadata: { name: 'jane', uid: 'uid-2' } }, WAITING);
  await recorder.flush(AbortSignal.timeout(1_000));
  assert.equal(client.calls.length, 3);
});

test('a restarted signer derives the same event name and treats "already exists" as written', async () => {
  const [first, second] = [setup(), setup()];
  first.recorder.record(CSR, WAITING);
  second.client.answer = () => {
    throw new TerminalError('exists', { code: 'already-exists' });
  };
  second.recorder.record(CSR, WAITING);
  await Promise.all([first, second].map(({ recorder }) => recorder.flush(AbortSignal.timeout(1_000))));
  const names = [first, second].map(
    ({ client }) => (client.calls[0]!.body as { metadata: { name: string } }).metadata.name,
  );
  assert.equal(names[0], names[1]);
  assert.equal(second.client.calls.length, 1);
});

function setupLogged() {
  const client = new RecordingClient();
  const { lines, log } = recordLog('warn');
  return { client, recorder: new EventRecorder(client, log), logged: lines };
}

test('an event that cannot be written is written later, despite many failures', async () => {
  const { client, recorder } = setup();
  client.answer = () => {
    if (client.calls.length < 4) throw new RetryableError('busy', { code: 'throttled', retryAfterMs: 1 });
    return undefined;
  };
  recorder.record(CSR, WAITING);
  await recorder.flush(AbortSignal.timeout(2_000));
  assert.equal(client.calls.length, 4);
  assert.equal(recorder.pending, 0);
});

test('an event that cannot be written is not retried at once', async () => {
  const { client, recorder } = setup();
  client.answer = () => {
    throw new RetryableError('down', { code: 'network' });
  };
  recorder.record(CSR, WAITING);
  await sleep(100);
  assert.equal(client.calls.length, 1);
});

test('an event that an earlier process wrote is neither a failure nor written again', async () => {
  const { client, recorder, logged } = setupLogged();
  client.answer = () => {
    throw new TerminalError('409', { code: 'already-exists' });
  };
  for (let i = 0; i < 2; i += 1) {
    recorder.record(CSR, WAITING);
    await recorder.flush(AbortSignal.timeout(1_000));
  }
  assert.equal(client.calls.length, 1);
  await recorder.close(AbortSignal.timeout(1_000));
  assert.deepEqual(logged, []);
});

test('an event is not written at once, so that the watch event of what it reports comes first', async () => {
  const client = new RecordingClient();
  let now = 0;
  const recorder = new EventRecorder(client, TEST_LOG, undefined, () => now);
  recorder.record(CSR, WAITING);
  now = 29;
  await sleep(60);
  assert.equal(client.calls.length, 0);
  now = 30;
  await until(() => client.calls.length === 1);
});

describe('while certificates are being written', () => {
  function setupBusy() {
    const state = { isBusy: true, now: 0 };
    const client = new RecordingClient();
    const recorder = new EventRecorder(
      client,
      TEST_LOG,
      () => state.isBusy,
      () => state.now,
    );
    for (let i = 0; i < 3; i += 1) recorder.record(CSR, { ...WAITING, occasion: String(i) });
    return { state, client, recorder };
  }

  test('events wait while certificates are written, and are written soon after', async () => {
    const { state, client } = setupBusy();
    await sleep(60);
    assert.equal(client.calls.length, 0);
    state.isBusy = false;
    state.now = 30;
    await until(() => client.calls.length === 3);
  });

  for (const [seconds, atATime] of [
    [5, 1],
    [11, 2],
  ] as const) {
    test(`events that have waited for ${seconds} seconds are written ${atATime} at a time`, async () => {
      const { state, client } = setupBusy();
      let [inFlight, most] = [0, 0];
      client.answer = async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await sleep(5);
        inFlight -= 1;
      };
      state.now = seconds * 1_000;
      await until(() => client.calls.length === 3);
      assert.equal(most, atATime);
    });
  }

  test('waiting events are written when the process ends', async () => {
    const { client, recorder } = setupBusy();
    await recorder.flush(AbortSignal.timeout(1_000));
    assert.equal(client.calls.length, 3);
  });
});

describe('at the end', () => {
  const down = new RetryableError('no quorum', { code: 'server', retryAfterMs: 60_000 });

  test('on shutdown, events that wait for a retry are tried once, at once', async () => {
    const { client, recorder } = setup();
    client.answer = () => {
      if (client.calls.length === 1) throw new RetryableError('no quorum', { code: 'server', retryAfterMs: 150 });
    };
    recorder.record(CSR, WAITING);
    await recorder.flush(AbortSignal.timeout(20));
    assert.equal(recorder.pending, 1);
    await recorder.flush(AbortSignal.timeout(1_000));
    await sleep(200);
    assert.deepEqual([client.calls.length, recorder.pending], [2, 0]);
  });

  test('on shutdown, the number of unwritten events is logged and nothing is retried', async () => {
    const { client, recorder, logged } = setupLogged();
    client.answer = () => {
      throw down;
    };
    for (let i = 0; i < 20; i += 1) recorder.record(CSR, { ...WAITING, occasion: String(i) });
    await recorder.close(AbortSignal.timeout(50));
    assert.deepEqual(
      logged.map(line => [line['msg'], line['events'] ?? line['failures']]),
      [
        ['cannot write event', 1],
        ['events lost at shutdown', 20],
      ],
    );
    recorder.record(CSR, WAITING);
    await sleep(20);
    assert.equal(client.calls.length, 20);
  });
});

test('events that cannot be written do not block other events', async () => {
  const { client, recorder } = setup();
  client.answer = ({ body }) => {
    if ((body as { reason: string }).reason !== 'Stuck') return undefined;
    throw new RetryableError('the namespace is being terminated', { code: 'forbidden', retryAfterMs: 60_000 });
  };
  for (let i = 0; i < 8; i += 1) recorder.record(CSR, { ...WAITING, reason: 'Stuck', occasion: String(i) });
  recorder.record(CSR, WAITING);
  await recorder.flush(AbortSignal.timeout(20));
  assert.ok(client.events.includes('Normal WaitingApproval: Waiting'));
  assert.equal(recorder.pending, 8);
});

test('an event that always fails is dropped eventually, and an invalid one at once', async () => {
  for (const [error, calls] of [
    [new RetryableError('forbidden', { code: 'forbidden', retryAfterMs: 0 }), 12],
    [new TerminalError('invalid', { code: 'invalid' }), 1],
  ] as const) {
    const { client, recorder } = setup();
    client.answer = () => {
      throw error;
    };
    recorder.record(CSR, WAITING);
    await recorder.flush(AbortSignal.timeout(2_000));
    assert.deepEqual([client.calls.length, recorder.pending], [calls, 0]);
    // An event that was never written may be recorded again, for example once the permission is granted.
    client.answer = () => undefined;
    recorder.record(CSR, WAITING);
    await recorder.flush(AbortSignal.timeout(2_000));
    assert.equal(client.calls.length, calls + 1);
  }
});

test('the last hundred events of an object are remembered', async () => {
  const { client, recorder } = setup();
  const recordAll = (...occasions: number[]) => {
    for (const occasion of occasions) recorder.record(CSR, { ...WAITING, occasion: String(occasion) });
  };
  recordAll(...Array(101).keys());
  recordAll(0, 100);
  await recorder.flush(AbortSignal.timeout(1_000));
  assert.equal(client.calls.length, 102);
});

test('an event for a namespaced object is written to its namespace', async () => {
  const { client, recorder } = setup();
  const metadata = { name: 'my-ca', namespace: 'sandbox', uid: 'u' };
  recorder.record({ apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata }, WAITING);
  await recorder.flush(AbortSignal.timeout(1_000));
  assert.equal(client.calls[0]?.path, '/api/v1/namespaces/sandbox/events');
});

test('the events of a deleted object are forgotten', async () => {
  const { client, recorder } = setup();
  recorder.record(CSR, WAITING);
  recorder.forget('uid-1');
  recorder.record(CSR, WAITING);
  await recorder.flush(AbortSignal.timeout(1_000));
  assert.equal(client.calls.length, 2);
});

const LONG_NAMES = [
  ['a name of 253 characters', `${'a'.repeat(199)}.${'b'.repeat(53)}`],
  ['a name that would be truncated at a dot', `${'a'.repeat(199)}.b`],
  ['a name that only a CSR may have', 'Jane Doe?x=#1..-é-.'],
  ['a name without any valid character', 'é'],
] as const;
for (const [what, name] of LONG_NAMES) {
  test(`${what} gives a valid event name`, async () => {
    const { client, recorder } = setup();
    recorder.record({ ...CSR, metadata: { name, uid: 'u' } }, WAITING);
    await recorder.flush(AbortSignal.timeout(1_000));
    const { metadata } = client.calls[0]!.body as { metadata: { name: string } };
    assert.match(metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    assert.ok(metadata.name.length <= 253);
  });
}
