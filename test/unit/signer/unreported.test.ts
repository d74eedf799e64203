import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Unreported } from '@countersign/signer/writes/unreported.ts';

const CRASH = Date.parse('2026-11-30T12:00:00Z');
const MINUTE = 60_000;
const former = { renewedAt: new Date(CRASH) };

function record(receivedAt: number, endedAfter?: number) {
  return { receivedAt, ...(endedAfter !== undefined && { endedAfter }) };
}

it('a request seen to end shortly before a leader was killed is due, however long ago it was approved', () => {
  const unreported = new Unreported();
  unreported.update('jane', record(CRASH, CRASH - 50 * MINUTE), record(CRASH - 50 * MINUTE), false);
  assert.deepEqual([...unreported.begin(former)], ['jane']);
});

it('nothing is due after a leader released its Lease', () => {
  const unreported = new Unreported();
  unreported.update('jane', record(CRASH, CRASH), record(CRASH), false);
  assert.deepEqual([...unreported.begin(undefined)], []);
});

it('a request that ended long before, or was deleted, is not due', () => {
  const unreported = new Unreported();
  unreported.update('old', record(CRASH - 6 * MINUTE, CRASH - 6 * MINUTE), record(CRASH - 6 * MINUTE), false);
  unreported.update('gone', record(CRASH, CRASH), record(CRASH), false);
  unreported.update('gone', undefined, record(CRASH, CRASH), false);
  assert.deepEqual([...unreported.begin(former)], []);
});

it('a new leader finds due requests in a later list, but not requests that end during its own term', () => {
  const unreported = new Unreported();
  unreported.begin(former);
  assert.equal(unreported.update('jane', record(CRASH + MINUTE, CRASH), undefined, true), true);
  assert.equal(unreported.update('old', record(CRASH + MINUTE, CRASH - 10 * MINUTE), undefined, true), false);
  assert.equal(unreported.update('own', record(CRASH + MINUTE, CRASH), record(CRASH), true), false);
  assert.ok(unreported.has('jane'));
});
