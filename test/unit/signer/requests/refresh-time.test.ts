// When kubelet begins to replace the certificate of a pod.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginRefreshAt } from '@countersign/signer/requests/pod-certificate/refresh-time.ts';
import * as fc from 'fast-check';

const NOT_BEFORE = new Date('2026-11-24T12:00:00Z');
const MINUTE = 60;

/** Seconds from notBefore. */
function refreshAfter(lifetime: number, uid: string): number {
  const notAfter = new Date(NOT_BEFORE.getTime() + lifetime * 1000);
  return (beginRefreshAt({ notBefore: NOT_BEFORE, notAfter }, uid).getTime() - NOT_BEFORE.getTime()) / 1000;
}

const uids = Array.from({ length: 2_000 }, (_, at) => `uid-${at}`);

describe('beginRefreshAt', () => {
  it('a certificate of an hour is refreshed between minute 37 and 40', () => {
    const all = uids.map(uid => refreshAfter(60 * MINUTE, uid));
    assert.ok(Math.min(...all) >= 37 * MINUTE && Math.min(...all) < 37 * MINUTE + 5);
    assert.ok(Math.max(...all) <= 40 * MINUTE && Math.max(...all) > 40 * MINUTE - 5);
  });

  it('a certificate of a day is refreshed at two thirds of it, or up to 72 minutes sooner', () => {
    const all = uids.map(uid => refreshAfter(24 * 60 * MINUTE, uid));
    assert.ok(Math.min(...all) >= (16 * 60 - 72) * MINUTE && Math.max(...all) <= 16 * 60 * MINUTE);
  });

  it('requests that were created together are refreshed evenly spread', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const uid of uids) {
      const at = Math.floor((refreshAfter(100_000, uid) - 100_000 * (2 / 3 - 1 / 20)) / 500);
      tenths[at] = (tenths[at] ?? 0) + 1;
    }
    assert.ok(
      tenths.every(count => count > 140 && count < 260),
      tenths.join(),
    );
  });

  it('a request has one time of refresh, whichever replica computes it', () =>
    assert.equal(refreshAfter(5_000, 'a'), refreshAfter(5_000, 'a')));

  it('the refresh is ten minutes or more from both ends for every lifetime that the API server allows, in whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3_600, max: 7_862_400 }), fc.string(), (lifetime, uid) => {
        const after = refreshAfter(lifetime, uid);
        assert.ok(Number.isInteger(after) && after >= 10 * MINUTE && after <= lifetime - 10 * MINUTE);
      }),
    );
  });

  it('the refresh of a short certificate is held to the end of it', () => {
    assert.equal(refreshAfter(21 * MINUTE, 'a'), 11 * MINUTE);
    assert.equal(refreshAfter(15 * MINUTE, 'a'), 5 * MINUTE);
  });
});
