// Which connection is closed when there are too many, and how long a silent one may stay open.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionGate } from '@countersign/common/runtime/process/connection-gate.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  isOpen = true;

  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.isOpen = false;
    this.emit('close');
  }
}

function setup(connections: number, firstRequestMs = 60_000) {
  const gate = new ConnectionGate({ connections, firstRequestMs });
  let port = 0;
  const all: FakeSocket[] = [];
  const open = (address: string) => {
    port += 1;
    const socket = new FakeSocket(address, port);
    all.push(socket);
    gate.admit(socket as unknown as Socket);
    return socket;
  };
  return { gate, open, close: () => all.map(each => each.destroy()) };
}

function openOnes(sockets: readonly FakeSocket[]): number[] {
  return sockets.flatMap(({ isOpen }, at) => (isOpen ? [at] : []));
}

test('a new connection is always accepted, and the oldest one of the busiest address is closed', t => {
  const { open, close } = setup(4);
  t.after(close);
  const own = open('10.0.0.1');
  const flood = Array.from({ length: 100 }, () => open('10.0.0.2'));
  assert.ok(own.isOpen);
  assert.deepEqual(openOnes(flood), [97, 98, 99]);
});

test('an answered connection outlives the silent ones of the same address', t => {
  const { gate, open, close } = setup(4);
  t.after(close);
  const own = open('10.0.0.1');
  gate.answered(own);
  for (let at = 0; at < 100; at += 1) open('10.0.0.1');
  assert.ok(own.isOpen);
});

test('a flood from as many addresses as connections closes no answered connection, even of a busy address', t => {
  const { gate, open, close } = setup(32);
  t.after(close);
  const own = Array.from({ length: 10 }, () => open('10.0.0.1'));
  own.map(each => gate.answered(each));
  const flood = Array.from({ length: 100 }, (_, at) => open(`10.1.0.${at}`));
  assert.equal(openOnes(own).length, own.length);
  assert.deepEqual(
    openOnes(flood),
    Array.from({ length: 22 }, (_, at) => 78 + at),
  );
});

test('a new client is accepted during a flood of answered connections', t => {
  const { gate, open, close } = setup(32);
  t.after(close);
  for (let at = 0; at < 100; at += 1) gate.answered(open('10.0.0.2'));
  const own = Array.from({ length: 10 }, () => open('10.0.0.1'));
  for (let at = 0; at < 100; at += 1) gate.answered(open('10.0.0.2'));
  assert.equal(openOnes(own).length, own.length);
});

test('the least recently used of the answered connections is closed', t => {
  const { gate, open, close } = setup(3);
  t.after(close);
  const all = [open('10.0.0.1'), open('10.0.0.1'), open('10.0.0.1')] as const;
  for (const each of [...all, all[0]]) gate.answered(each);
  assert.ok(open('10.0.0.1').isOpen);
  assert.deepEqual(openOnes(all), [0, 2]);
});

test('a closed connection frees its slot', t => {
  const { open, close } = setup(2);
  t.after(close);
  const [first, second] = [open('10.0.0.1'), open('10.0.0.1')];
  second.destroy();
  open('10.0.0.1');
  assert.ok(first.isOpen);
});

test('a silent connection is closed after its timeout, an answered one is not', async t => {
  const { gate, open, close } = setup(4, 30);
  t.after(close);
  const [silent, answered] = [open('10.0.0.1'), open('10.0.0.1')];
  gate.answered(answered);
  await sleep(60);
  assert.deepEqual([silent.isOpen, answered.isOpen], [false, true]);
});
