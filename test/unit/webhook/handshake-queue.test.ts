// The order in which handshakes start, and how connections that close before their handshake are counted.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HandshakeQueue } from '@countersign/webhook/serving/handshake-queue.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  readableLength = 0;
  /** The last callback passed to `setTimeout`. */
  onTimeout: () => void = () => undefined;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  setTimeout(milliseconds: number, then: () => void = () => undefined): this {
    this.onTimeout = milliseconds > 0 ? then : () => undefined;
    return this;
  }

  send(bytes: number): void {
    this.readableLength = bytes;
    this.emit('readable');
  }

  destroy(): void {
    this.emit('close');
  }
}

function setup() {
  const begun: FakeSocket[] = [];
  const failed: string[] = [];
  const turns = new HandshakeQueue({
    begin: socket => void begun.push(socket as unknown as FakeSocket),
    fail: ({ code }) => void failed.push(code),
    timeoutMs: 1_000,
  });
  const open = (address: string) => {
    const socket = new FakeSocket(address);
    turns.add(socket as unknown as Socket);
    return socket;
  };
  return { begun, failed, open };
}

test('one handshake starts in each turn of the event loop', async () => {
  const { begun, open } = setup();
  for (const socket of Array.from({ length: 5 }, () => open('10.0.0.2'))) socket.send(1);
  const counts: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    counts.push(begun.length);
    await nextTurn();
  }
  assert.deepEqual(counts, [1, 2, 3, 4, 5]);
});

test('a caller waits for at most one handshake of each other address, however many connections those have', async () => {
  const { begun, open } = setup();
  const flood = ['10.0.0.2', '10.0.0.3'].flatMap(address => Array.from({ length: 200 }, () => open(address)));
  for (const socket of flood) socket.send(1);
  const own = open('10.0.0.1');
  own.send(1);
  while (!begun.includes(own)) await nextTurn();
  assert.ok(begun.indexOf(own) <= 3, `after ${begun.indexOf(own)} others`);
});

test('a connection that has sent nothing does not delay others', () => {
  const { begun, open } = setup();
  open('10.0.0.1');
  const second = open('10.0.0.1');
  second.send(1);
  assert.deepEqual(begun, [second]);
});

test('a connection that closes while it waits is counted, and its handshake never starts', async () => {
  const { begun, failed, open } = setup();
  const [first, second, third] = [open('10.0.0.1'), open('10.0.0.1'), open('10.0.0.1')];
  for (const socket of [first, second, third]) socket.send(1);
  second.destroy();
  await nextTurn();
  await nextTurn();
  assert.deepEqual(begun, [first, third]);
  assert.deepEqual(failed, ['ECONNRESET']);
  third.destroy();
  assert.equal(failed.length, 1, 'a failure after the start is not counted here');
});

test('a caller that closes the connection without sending data and one that sends nothing are counted by cause', () => {
  const { failed, open } = setup();
  open('10.0.0.1').send(0);
  open('10.0.0.1').onTimeout();
  assert.deepEqual(failed, ['ECONNRESET', 'ERR_TLS_HANDSHAKE_TIMEOUT']);
});
