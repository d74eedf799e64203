// A CSR with a signer name that no issuer can match, created without the webhook: it gets one event in any state, and
// nothing else is read or written for it.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import { buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import { until } from '../../support/until.ts';
import { start } from './controller-harness.ts';
import { SignerHarness } from './signer-harness.ts';

const NO_NAMESPACE = 'issuers.cert-manager.io/foo';
const EVENT =
  'Warning InvalidSignerName: Signer name "issuers.cert-manager.io/foo" is malformed: missing namespace; use "issuers.cert-manager.io/<namespace>.<name>"';

describe('a CSR whose signer name no issuer can match', () => {
  const orders: Readonly<Record<string, CsrOrder>> = { pending: { conditions: [] }, approved: {} };
  for (const [which, order] of Object.entries(orders)) {
    it(`a ${which} CSR that no issuer can match gets one event, no status write, and is not counted as waiting`, async () => {
      const harness = new SignerHarness();
      harness.csr = buildCsr({ ...order, signerName: NO_NAMESPACE });
      await harness.run();
      await harness.run();
      assert.deepEqual([harness.asked, harness.client.events], [[], [EVENT]]);
      assert.deepEqual(harness.outcomes[0], { result: 'ignored', reason: undefined, issuerType: '' });
    });
  }

  for (const [which, order] of Object.entries<CsrOrder>({
    'when it is denied': { conditions: ['Denied'] },
    'when it is Failed': { conditions: ['Approved', 'Failed'] },
    'when it is being deleted': { deleted: true },
    'when another signer has issued its certificate': { certificate: 'Zm9v' },
  })) {
    it(`a CSR that no issuer can match gets no event ${which}`, async () => {
      const harness = new SignerHarness();
      harness.csr = buildCsr({ ...order, signerName: NO_NAMESPACE });
      await harness.run();
      assert.deepEqual([harness.client.calls, harness.outcomes], [[], []]);
    });
  }

  it('a CSR that no issuer can match gets no second event on approval or from the next leader', async t => {
    const names = new Set<string>();
    const first = await lead(t, names);
    first.client.push('certificatesigningrequests', 'MODIFIED', buildCsr({ signerName: NO_NAMESPACE }), '101');
    await sleep(50);
    await first.yieldLease();
    const second = await lead(t, names);
    assert.deepEqual([names.size, first.client.events, second.client.events], [1, [EVENT], [EVENT]]);
    assert.deepEqual([first.client.writes, second.client.writes], [[], []]);
  });
});

/** Starts a signer on a cluster with these events, and waits until it has tried to write one. */
async function lead(t: TestContext, names: Set<string>) {
  const harness = await start(t, {
    csrs: [buildCsr({ signerName: NO_NAMESPACE, conditions: [] })],
    answer: ({ path, body }) => {
      if (!path.endsWith('/events')) return undefined;
      const { name } = (body as { metadata: { name: string } }).metadata;
      if (names.has(name)) throw new TerminalError('exists', { code: 'already-exists' });
      names.add(name);
      return body;
    },
  });
  await until(() => harness.client.events.length === 1);
  return harness;
}
