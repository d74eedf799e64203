// Reconciling one CSR when the API server rejects, fails or drops a call: what is reported, and what the next
// attempt does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CA, PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION } from '@countersign/common/annotations.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { toCsrRecord } from '@countersign/signer/requests/csr/csr-record.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { APPROVED_AT, buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { ISSUER, NOW, REVIEW, REVIEW_PATH, SECRET, SECRET_PATH } from './reconcile-harness.ts';
import { CSR_PATH, certificateIn, isStatusPatch, PATCH, SignerHarness } from './signer-harness.ts';

const conflict = new RetryableError('conflict', { code: 'conflict' });
const NOW_LATER = '2026-11-24T12:00:01.500Z';

describe('after a conflict', () => {
  function conflicting(): SignerHarness {
    const harness = new SignerHarness();
    harness.fault = call => {
      if (isStatusPatch(call) && harness.client.writes.length === 1) throw conflict;
      return undefined;
    };
    return harness;
  }

  it('a conflict causes no event, and the next attempt reads and decides again', async () => {
    const harness = conflicting();
    await assert.rejects(harness.run(), conflict);
    assert.deepEqual(harness.client.events, []);
    harness.fresh = buildCsr({ annotations: { [REQUEST_DURATION]: '1m' } });
    await harness.run(1);
    assert.deepEqual(harness.asked.slice(3), [`get ${CSR_PATH}`, REVIEW, ISSUER, PATCH]);
    assert.equal(harness.outcomes[0]?.result, 'failed');
  });

  it('a CSR that got its certificate before the next attempt is left alone', async () => {
    const harness = conflicting();
    await assert.rejects(harness.run(), conflict);
    harness.fresh = buildCsr({ certificate: 'Zm9v', annotations: { [CA]: 'x' } });
    await harness.run(1);
    assert.deepEqual(harness.asked.slice(3), [`get ${CSR_PATH}`]);
    assert.deepEqual(harness.client.events, []);
  });

  it('a second signature after a conflict has the same serial and subject', async () => {
    const harness = conflicting();
    await assert.rejects(harness.run(), conflict);
    await harness.run(1);
    const [first, second] = harness.client.writes.map(({ body }) => certificateIn(body));
    assert.equal(first?.serialNumber, second?.serialNumber);
    assert.equal(first?.subject, second?.subject);
  });

  it('the time since approval counts from when it was first seen, despite a conflict', async () => {
    const harness = conflicting();
    Object.assign(harness.deps, { now: () => new Date(NOW_LATER) });
    await assert.rejects(harness.run(), conflict);
    await harness.run(1);
    assert.deepEqual(harness.openMs, [Date.parse(NOW_LATER) - Date.parse(APPROVED_AT)]);
  });
});

it('an overwritten cached CSR is not signed again before the watch delivers the new version', async () => {
  const harness = new SignerHarness();
  const cached = toCsrRecord(harness.csr, NOW.getTime(), harness.deps.settings);
  Object.assign(harness.deps.view, { findRecord: () => cached });
  // Including a write based on a fresh read.
  await harness.run(1);
  await harness.run();
  assert.equal(harness.client.writes.length, 1);
  assert.equal(harness.logged.filter(({ msg }) => msg === 'signing certificate').length, 1);
});

it('a cached CSR that only waited is processed again', async () => {
  const harness = new SignerHarness();
  const cached = toCsrRecord(harness.csr, NOW.getTime(), harness.deps.settings);
  Object.assign(harness.deps.view, { findRecord: () => cached });
  harness.issuer = undefined;
  await harness.run();
  harness.issuer = buildIssuer();
  await harness.run();
  assert.deepEqual(
    harness.outcomes.map(({ result }) => result),
    ['waiting', 'issued'],
  );
});

it('a CSR deleted before the next attempt is not an error', async () => {
  const harness = new SignerHarness();
  Object.assign(harness.deps.client, { get: async () => undefined });
  await harness.run(1);
  assert.deepEqual([harness.client.writes, harness.outcomes], [[], []]);
});

describe('a failed write', () => {
  const rows = {
    'that is forbidden is reported and retried later': {
      error: new RetryableError('403', { code: 'forbidden' }),
      delay: 500,
    },
    'that an admission webhook refuses is reported and retried later': {
      error: new TerminalError('400', { code: 'bad-request' }),
      delay: 500,
    },
    'on a server error is reported and retried': {
      error: new RetryableError('500', { code: 'server' }),
      delay: 125,
    },
  };
  for (const [what, { error, delay }] of Object.entries(rows)) {
    it(`a write ${what}`, async () => {
      const harness = new SignerHarness();
      harness.fault = call => {
        if (isStatusPatch(call)) throw error;
        return undefined;
      };
      await assert.rejects(harness.run(), error);
      assert.deepEqual(harness.client.events, [`Warning SigningError: Error updating certificate: ${error.message}`]);
      assert.deepEqual(harness.outcomes, []);
      assert.ok((retryDelay(error, 1) ?? 0) >= delay);
    });
  }

  for (const [issuer, secret, reason] of [
    [buildIssuer(), rootTexts(), 'SigningError'],
    [buildIssuer({ selfSigned: {} }), { 'tls.key': readPki('keys/p256') }, 'ErrorSigning'],
  ] as const) {
    it(`a certificate that the API server rejects as invalid fails the request with ${reason}`, async () => {
      const harness = new SignerHarness();
      harness.issuer = issuer;
      harness.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
      harness.secret = buildSecret(secret);
      harness.fault = call => {
        if (isStatusPatch(call) && harness.client.writes.length === 1)
          throw new TerminalError('422', { code: 'invalid' });
        return undefined;
      };
      await harness.run();
      assert.deepEqual(
        harness.refused.map(({ message }) => message),
        ['422'],
      );
      const failed = harness.client.writes.at(-1)?.body as { status: { conditions: { reason: string }[] } };
      assert.equal(failed?.status.conditions.at(-1)?.reason, reason);
      assert.deepEqual(harness.client.events, [`Warning ${reason}: Error signing certificate: 422`]);
      assert.deepEqual(
        harness.outcomes.map(({ result }) => result),
        ['failed'],
      );
    });
  }

  it('a write to a deleted CSR causes no event', async () => {
    const harness = new SignerHarness();
    harness.fault = call => {
      if (isStatusPatch(call)) throw new TerminalError('404', { code: 'not-found' });
      return undefined;
    };
    await harness.run();
    assert.deepEqual([harness.client.events, harness.outcomes], [[], []]);
  });
});

it('a replica that loses leadership during its reads neither signs nor writes', async () => {
  const harness = new SignerHarness();
  harness.fault = ({ path }) => {
    if (path === SECRET_PATH) harness.isLeading = false;
  };
  await harness.run();
  assert.deepEqual([harness.asked, harness.client.events, harness.logged], [[REVIEW, SECRET], [], []]);
});

it('a replica that loses leadership while signing discards the certificate and logs that', async () => {
  const harness = new SignerHarness();
  const hasBegun = () => harness.logged.some(({ msg }) => msg === 'signing certificate');
  Object.assign(harness.deps, { isLeading: () => !hasBegun() });
  await harness.run();
  assert.deepEqual([harness.client.writes, harness.client.events], [[], []]);
  assert.deepEqual(
    harness.logged.map(({ msg, audit }) => [msg, audit]),
    [
      ['signing certificate', true],
      ['leadership lost, certificate discarded', true],
    ],
  );
});

describe('a failed read', () => {
  const down = new RetryableError('GET secret: 403', { code: 'forbidden', retryAfterMs: 7_000 });
  const failReads = (part: string) => (call: RecordedCall) => {
    if (call.path.includes(part) && !call.path.includes('/events')) throw down;
    return undefined;
  };

  it("a failed read of the CA's Secret is reported and retried according to its cause", async () => {
    const harness = new SignerHarness();
    harness.fault = failReads('/secrets/');
    await assert.rejects(harness.run(), { name: 'RetryableError', code: 'forbidden', retryAfterMs: 7_000 });
    await assert.rejects(harness.run());
    assert.deepEqual(harness.client.events, [
      'Warning SecretGetError: Failed to get certificate key pair from secret sandbox/my-ca: GET secret: 403',
    ]);
    assert.deepEqual(harness.client.writes, []);
  });

  it("a failed read of a SelfSigned request's Secret does not fail the request", async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
    harness.fault = failReads('/secrets/');
    await assert.rejects(harness.run(), { code: 'forbidden' });
    assert.deepEqual(harness.client.events, [
      'Warning ErrorGettingSecret: Failed to get certificate CA key from secret sandbox/my-key: GET secret: 403',
    ]);
    assert.deepEqual(harness.client.writes, []);
  });

  it('a failed access review decides nothing', async () => {
    const harness = new SignerHarness();
    harness.fault = failReads('subjectaccessreviews');
    await assert.rejects(harness.run(), down);
    assert.deepEqual(harness.asked, [REVIEW]);
    assert.deepEqual(harness.client.events, []);
  });

  it('an access review that fails with 404 does not mean that the request is deleted', async () => {
    const harness = new SignerHarness();
    harness.fault = ({ path }) => {
      if (path === REVIEW_PATH) throw new TerminalError('404', { code: 'not-found' });
    };
    await assert.rejects(harness.run(), { name: 'RetryableError', message: '404' });
  });
});

for (const name of ['../x', '../../kube-system/secrets/x', 'a/b', 'x?y', 'x%2fy', '.', 'X']) {
  it(`a Secret named ${name} is never read, and the request waits`, async () => {
    const harness = new SignerHarness();
    harness.issuer = buildIssuer({ selfSigned: {} });
    harness.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: name } });
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW]);
    const shown = `<invalid name: ${name.length} characters>`;
    assert.deepEqual(harness.client.events, [`Warning SecretNotFound: Referenced Secret sandbox/${shown} not found`]);
  });
}
