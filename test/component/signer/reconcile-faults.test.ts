// One run for one CSR when the API server refuses, fails or drops something: what is said, and what
// another attempt does.

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
import {
  CSR_PATH,
  certificateIn,
  ISSUER,
  isStatusPatch,
  NOW,
  PATCH,
  REVIEW,
  REVIEW_PATH,
  SECRET,
  SECRET_PATH,
  SignerWorld,
} from './signer-world.ts';

const conflict = new RetryableError('conflict', { code: 'conflict' });
const NOW_LATER = '2026-11-24T12:00:01.500Z';

describe('after a conflict', () => {
  function conflicting(): SignerWorld {
    const world = new SignerWorld();
    world.fault = call => {
      if (isStatusPatch(call) && world.client.writes.length === 1) throw conflict;
      return undefined;
    };
    return world;
  }

  it('nothing is said, and the next attempt reads afresh and decides anew', async () => {
    const world = conflicting();
    await assert.rejects(world.run(), conflict);
    assert.deepEqual(world.client.events, []);
    world.fresh = buildCsr({ annotations: { [REQUEST_DURATION]: '1m' } });
    await world.run(1);
    assert.deepEqual(world.asked.slice(3), [`get ${CSR_PATH}`, REVIEW, ISSUER, PATCH]);
    assert.equal(world.outcomes[0]?.result, 'failed');
  });

  it('a CSR that has its certificate by now is left alone', async () => {
    const world = conflicting();
    await assert.rejects(world.run(), conflict);
    world.fresh = buildCsr({ certificate: 'Zm9v', annotations: { [CA]: 'x' } });
    await world.run(1);
    assert.deepEqual(world.asked.slice(3), [`get ${CSR_PATH}`]);
    assert.deepEqual(world.client.events, []);
  });

  it('a second signature carries the serial and the key of the first', async () => {
    const world = conflicting();
    await assert.rejects(world.run(), conflict);
    await world.run(1);
    const [first, second] = world.client.writes.map(({ body }) => certificateIn(body));
    assert.equal(first?.serialNumber, second?.serialNumber);
    assert.equal(first?.subject, second?.subject);
  });

  it('the approval counts from when it was first seen', async () => {
    const world = conflicting();
    Object.assign(world.deps, { now: () => new Date(NOW_LATER) });
    await assert.rejects(world.run(), conflict);
    await world.run(1);
    assert.deepEqual(world.openMs, [Date.parse(NOW_LATER) - Date.parse(APPROVED_AT)]);
  });
});

it('a copy that was written over is not signed again while the watch has not told of it', async () => {
  const world = new SignerWorld();
  const copy = toCsrRecord(world.csr, NOW.getTime(), world.deps.settings);
  Object.assign(world.deps.view, { findRecord: () => copy });
  // Also when the write was based on a fresh read.
  await world.run(1);
  await world.run();
  assert.equal(world.client.writes.length, 1);
  assert.equal(world.logged.filter(({ msg }) => msg === 'signing certificate').length, 1);
});

it('a copy that only waited is looked at again', async () => {
  const world = new SignerWorld();
  const copy = toCsrRecord(world.csr, NOW.getTime(), world.deps.settings);
  Object.assign(world.deps.view, { findRecord: () => copy });
  world.issuer = undefined;
  await world.run();
  world.issuer = buildIssuer();
  await world.run();
  assert.deepEqual(
    world.outcomes.map(({ result }) => result),
    ['waiting', 'issued'],
  );
});

it('a CSR that is gone when it is looked at again is no error', async () => {
  const world = new SignerWorld();
  Object.assign(world.deps.client, { get: async () => undefined });
  await world.run(1);
  assert.deepEqual([world.client.writes, world.outcomes], [[], []]);
});

describe('a write that is not taken', () => {
  const rows = {
    'is said and tried again later when it is forbidden': {
      error: new RetryableError('403', { code: 'forbidden' }),
      delay: 500,
    },
    'is said and tried again later when an admission webhook refuses it': {
      error: new TerminalError('400', { code: 'bad-request' }),
      delay: 500,
    },
    'is said and tried again when the server fails': {
      error: new RetryableError('500', { code: 'server' }),
      delay: 125,
    },
  };
  for (const [what, { error, delay }] of Object.entries(rows)) {
    it(what, async () => {
      const world = new SignerWorld();
      world.fault = call => {
        if (isStatusPatch(call)) throw error;
        return undefined;
      };
      await assert.rejects(world.run(), error);
      assert.deepEqual(world.client.events, [`Warning SigningError: Error updating certificate: ${error.message}`]);
      assert.deepEqual(world.outcomes, []);
      assert.ok((retryDelay(error, 1) ?? 0) >= delay);
    });
  }

  for (const [issuer, secret, reason] of [
    [buildIssuer(), rootTexts(), 'SigningError'],
    [buildIssuer({ selfSigned: {} }), { 'tls.key': readPki('keys/p256') }, 'ErrorSigning'],
  ] as const) {
    it(`because the API server takes it for invalid fails the request with ${reason}: it would never be taken`, async () => {
      const world = new SignerWorld();
      world.issuer = issuer;
      world.csr = buildCsr({ request: buildRequest(), annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
      world.secret = buildSecret(secret);
      world.fault = call => {
        if (isStatusPatch(call) && world.client.writes.length === 1)
          throw new TerminalError('422', { code: 'invalid' });
        return undefined;
      };
      await world.run();
      assert.deepEqual(
        world.refused.map(({ message }) => message),
        ['422'],
      );
      const failed = world.client.writes.at(-1)?.body as { status: { conditions: { reason: string }[] } };
      assert.equal(failed?.status.conditions.at(-1)?.reason, reason);
      assert.deepEqual(world.client.events, [`Warning ${reason}: Error signing certificate: 422`]);
      assert.deepEqual(
        world.outcomes.map(({ result }) => result),
        ['failed'],
      );
    });
  }

  it("because the CSR is gone is nobody's news", async () => {
    const world = new SignerWorld();
    world.fault = call => {
      if (isStatusPatch(call)) throw new TerminalError('404', { code: 'not-found' });
      return undefined;
    };
    await world.run();
    assert.deepEqual([world.client.events, world.outcomes], [[], []]);
  });
});

it('a replica that lost the lead during its reads neither signs nor writes', async () => {
  const world = new SignerWorld();
  world.fault = ({ path }) => {
    if (path === SECRET_PATH) world.isLeading = false;
  };
  await world.run();
  assert.deepEqual([world.asked, world.client.events, world.logged], [[REVIEW, SECRET], [], []]);
});

it('a replica that lost the lead while it signed drops the certificate, and logs that', async () => {
  const world = new SignerWorld();
  const hasBegun = () => world.logged.some(({ msg }) => msg === 'signing certificate');
  Object.assign(world.deps, { isLeading: () => !hasBegun() });
  await world.run();
  assert.deepEqual([world.client.writes, world.client.events], [[], []]);
  assert.deepEqual(
    world.logged.map(({ msg, audit }) => [msg, audit]),
    [
      ['signing certificate', true],
      ['leadership lost, certificate discarded', true],
    ],
  );
});

describe('a read that fails', () => {
  const down = new RetryableError('GET secret: 403', { code: 'forbidden', retryAfterMs: 7_000 });
  const failReads = (part: string) => (call: RecordedCall) => {
    if (call.path.includes(part) && !call.path.includes('/events')) throw down;
    return undefined;
  };

  it("of the CA's Secret is said, and tried again as its cause demands", async () => {
    const world = new SignerWorld();
    world.fault = failReads('/secrets/');
    await assert.rejects(world.run(), { name: 'RetryableError', code: 'forbidden', retryAfterMs: 7_000 });
    await assert.rejects(world.run());
    assert.deepEqual(world.client.events, [
      'Warning SecretGetError: Failed to get certificate key pair from secret sandbox/my-ca: GET secret: 403',
    ]);
    assert.deepEqual(world.client.writes, []);
  });

  it("of a SelfSigned request's Secret does not fail the request", async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } });
    world.fault = failReads('/secrets/');
    await assert.rejects(world.run(), { code: 'forbidden' });
    assert.deepEqual(world.client.events, [
      'Warning ErrorGettingSecret: Failed to get certificate CA key from secret sandbox/my-key: GET secret: 403',
    ]);
    assert.deepEqual(world.client.writes, []);
  });

  it('of the access review decides nothing', async () => {
    const world = new SignerWorld();
    world.fault = failReads('subjectaccessreviews');
    await assert.rejects(world.run(), down);
    assert.deepEqual(world.asked, [REVIEW]);
    assert.deepEqual(world.client.events, []);
  });

  it('of the access review, even with 404, does not mean that the request is gone', async () => {
    const world = new SignerWorld();
    world.fault = ({ path }) => {
      if (path === REVIEW_PATH) throw new TerminalError('404', { code: 'not-found' });
    };
    await assert.rejects(world.run(), { name: 'RetryableError', message: '404' });
  });
});

for (const name of ['../x', '../../kube-system/secrets/x', 'a/b', 'x?y', 'x%2fy', '.', 'X']) {
  it(`a Secret called ${name} is never asked for, only waited for`, async () => {
    const world = new SignerWorld();
    world.issuer = buildIssuer({ selfSigned: {} });
    world.csr = buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: name } });
    await world.run();
    assert.deepEqual(world.asked, [REVIEW]);
    const shown = `<not a legal name: ${name.length} characters>`;
    assert.deepEqual(world.client.events, [`Warning SecretNotFound: Referenced Secret sandbox/${shown} not found`]);
  });
}
