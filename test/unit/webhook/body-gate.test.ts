// The shared memory budget for request bodies, and how long each body counts towards it.

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

test('a body counts towards the budget until it is parsed, since waiting bodies are in memory too', t => {
  const { send, close } = setup();
  t.after(close);
  const [first] = [send(LARGE), send(LARGE)];
  first.request.emit('end');
  first.request.emit('close');
  assert.equal(send(LARGE).isAdmitted, false);
  first.release();
  assert.equal(send(LARGE).isAdmitted, true);
  first.response.emit('close');
  assert.equal(send(LARGE).isAdmitted, false, 'no body is subtracted twice');
});

test('a body that is never parsed counts towards the budget until its request ends', t => {
  const { send, close } = setup();
  t.after(close);
  const [first] = [send(LARGE), send({ 'transfer-encoding': 'chunked' })];
  assert.equal(send(LARGE).isAdmitted, false);
  first.response.emit('close');
  assert.equal(send(LARGE).isAdmitted, true);
});

test('a small body is always admitted, and a rejected body does not count towards the budget', t => {
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
  // For a discarded body, the request emits no event.
  ['close', 'socket'],
] as const) {
  test(`the ${event} event of the ${of} stops the body timeout and removes its listeners`, t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { request, isEnded } = setup().send(LARGE);
    const { socket } = request;
    (of === 'socket' ? socket : request).emit(event);
    t.mock.timers.tick(60_000);
    assert.equal(isEnded(), false);
    assert.equal(socket.listenerCount('close'), 0);
  });
}

test('a body that does not arrive in time closes its connection', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { isEnded } = setup().send(LARGE);
  t.mock.timers.tick(60_000);
  assert.equal(isEnded(), true);
});
