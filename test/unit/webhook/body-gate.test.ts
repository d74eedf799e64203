// How much the bodies under way may take together, and until when each counts.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { BodyGate } from '@countersign/webhook/serving/body-gate.ts';

function setup() {
  const gate = new BodyGate({ bytes: 100, totalBytes: 200, smallBytes: 10, timeoutMs: 60_000 });
  const all: EventEmitter[] = [];
  const send = (headers: Record<string, string>) => {
    const socket = new EventEmitter();
    let isEnded = false;
    const destroy = () => {
      isEnded = true;
    };
    const request = Object.assign(new EventEmitter(), { headers, socket, destroy });
    const response = new EventEmitter();
    all.push(request);
    const isAdmitted = gate.admit(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    const release = () => gate.release(request as unknown as IncomingMessage);
    return { isAdmitted, request, response, release, isEnded: () => isEnded };
  };
  return { send, close: () => all.map(request => request.emit('close')) };
}

const LARGE = { 'content-length': '100' };

test('a body counts until it is parsed: those that wait for it are in memory, too', t => {
  const { send, close } = setup();
  t.after(close);
  const [first] = [send(LARGE), send(LARGE)];
  first.request.emit('end');
  first.request.emit('close');
  assert.equal(send(LARGE).isAdmitted, false);
  first.release();
  assert.equal(send(LARGE).isAdmitted, true);
  first.response.emit('close');
  assert.equal(send(LARGE).isAdmitted, false, 'none is subtracted twice');
});

test('a body that is never parsed counts until its request is over', t => {
  const { send, close } = setup();
  t.after(close);
  const [first] = [send(LARGE), send({ 'transfer-encoding': 'chunked' })];
  assert.equal(send(LARGE).isAdmitted, false);
  first.response.emit('close');
  assert.equal(send(LARGE).isAdmitted, true);
});

test('a small body is always admitted, and one that was refused counts for nothing', t => {
  const { send, close } = setup();
  t.after(close);
  const [first] = [send(LARGE), send(LARGE)];
  assert.equal(send({ 'content-length': '10' }).isAdmitted, true);
  const refused = send(LARGE);
  refused.response.emit('close');
  first.release();
  assert.equal(send(LARGE).isAdmitted, false);
  assert.equal(send({ 'content-length': '90' }).isAdmitted, true);
});

for (const [event, of] of [
  ['end', 'request'],
  ['close', 'request'],
  // Of a body that is dropped as it comes, the request says nothing.
  ['close', 'socket'],
] as const) {
  test(`the time for a body ends with the ${event} of its ${of}, and nothing is kept of it`, t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { request, isEnded } = setup().send(LARGE);
    const { socket } = request;
    (of === 'socket' ? socket : request).emit(event);
    t.mock.timers.tick(60_000);
    assert.equal(isEnded(), false);
    assert.equal(socket.listenerCount('close'), 0);
  });
}

test('a body that does not come in time ends its connection', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { isEnded } = setup().send(LARGE);
  t.mock.timers.tick(60_000);
  assert.equal(isEnded(), true);
});
