// How a replica without a Lease checks that the API server still reads from etcd.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiContact, keepContact } from '@countersign/common/runtime/controller/api-contact.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { recordLog } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';

test('an answered read counts as contact, a failed one is logged, and reads continue until the signal', async () => {
  const { lines, log } = recordLog('warn');
  let now = 0;
  const contact = new ApiContact(() => now);
  now = 20_000;
  const silent: number[] = [];
  const client = new RecordingClient(() => {
    silent.push(contact.problems().length);
    if (client.calls.length < 3) throw new RetryableError('etcd is gone', { code: 'server' });
    return { items: [] };
  });
  const stop = new AbortController();
  const running = keepContact({ client, contact, log, path: '/csrs', everyMs: 5 }, stop.signal);
  await until(() => client.calls.length >= 4).finally(() => stop.abort());
  await running;
  // The third read was answered, and the fourth was sent after that.
  assert.deepEqual([silent.slice(0, 4), lines.length], [[1, 1, 1, 0], 2]);
  assert.ok(client.calls.every(({ verb, path }) => `${verb} ${path}` === 'get /csrs?limit=1'));
});
