// The webhook uses only name constraints that the signer published for the very same issuer object.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatPublished, toPublished } from '@countersign/common/issuers/published-constraints.ts';
import { ConstraintsView } from '@countersign/webhook/constraints-view.ts';
import { constrainedCa } from '../../support/name-constraints.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';

const metrics = { onList: () => undefined, onWatchEnd: () => undefined, setSize: () => undefined };
const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'ca' } as const;
const CA = constrainedCa('my CA', { permitted: ['DNS:example.com'] });
const TEXT = formatPublished(new Map([['issuers.cert-manager.io/sandbox.ca', toPublished('u1', [CA])]])).text;
const METADATA = { name: 'countersign-name-constraints', namespace: 'countersign', resourceVersion: '7' };

/** A view of a ConfigMap with this data, listed once. */
async function viewOf(t: { after: (done: () => Promise<void>) => void }, data: Record<string, string> | undefined) {
  const items = data === undefined ? [] : [{ metadata: METADATA, data }];
  const client = new RecordingClient(() => ({ metadata: { resourceVersion: '7' }, items }));
  const view = new ConstraintsView({ client, namespace: 'countersign', log: TEST_LOG, metrics });
  const stop = new AbortController();
  const running = view.run(stop.signal);
  t.after(() => (stop.abort(), running));
  await until(() => client.calls.length > 0);
  await new Promise(resolve => setTimeout(resolve, 20));
  return { view, client };
}

describe('the published name constraints', () => {
  test('the published name constraints are found by the uid of the issuer, and decoded once', async t => {
    const { view, client } = await viewOf(t, { 'issuers.json': TEXT });
    assert.deepEqual(view.find(REF, 'u1'), [CA]);
    assert.equal(view.find(REF, 'u1'), view.find(REF, 'u1'));
    assert.deepEqual(
      client.calls.map(({ path }) => path.split('&')[0]),
      ['/api/v1/namespaces/countersign/configmaps?fieldSelector=metadata.name%3Dcountersign-name-constraints'],
    );
  });

  test('the published name constraints are ignored for an issuer that was recreated', async t => {
    const { view } = await viewOf(t, { 'issuers.json': TEXT });
    assert.deepEqual(view.find(REF, 'u2'), []);
  });

  for (const [what, data] of Object.entries({
    'is missing': undefined,
    'is empty': {},
    'is malformed': { 'issuers.json': '{"issuers.cert-manager.io/sandbox.ca":' },
  })) {
    test(`the name constraints are unknown if the ConfigMap ${what}`, async t => {
      const { view } = await viewOf(t, data);
      assert.deepEqual(view.find(REF, 'u1'), []);
    });
  }

  test('the name constraints are unknown before the ConfigMap was read', () => {
    const client = new RecordingClient();
    const view = new ConstraintsView({ client, namespace: 'countersign', log: TEST_LOG, metrics });
    assert.deepEqual(view.find(REF, 'u1'), []);
  });
});
